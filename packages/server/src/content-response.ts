import * as z from 'zod'

/**
 * A successful answer that is no JSON, for a route's `response`: what it is said to be in the document. The bytes go
 * out as they are.
 */
export function contentResponse(media_type: string, description: string): object {
  return { 200: { description, content: { [media_type]: { schema: z.string() } } } }
}
