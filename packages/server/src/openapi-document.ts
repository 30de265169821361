import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import type { ErrorCode } from '@orchestrator/contract'
import type { FastifySchema, RouteOptions } from 'fastify'
import * as z from 'zod'

import { addErrorResponses } from './error-responses.ts'
import { createOpenApiSchemas } from './openapi-schemas.ts'

const EDGE_ERRORS: ErrorCode[] = [
  'MALFORMED_REQUEST',
  'FORBIDDEN',
  'MISDIRECTED_HOST',
  'VALIDATION_ERROR',
  'INTERNAL_ERROR',
]
const BODY_ERRORS: ErrorCode[] = ['MALFORMED_JSON', 'REQUEST_TIMEOUT', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE']

/** Says of an operation, until the document is complete, that its body may be left out. */
const OPTIONAL_BODY = 'x-optional-body'

/** What the edge answers by itself is documented on every route, so that no route has to. */
export function documentEdgeErrors(route: RouteOptions): void {
  const { schema } = route
  if (!isRecord(schema?.response) || schema.hide === true) return
  const codes = [...EDGE_ERRORS]
  if (route.config?.public !== true) codes.push('UNAUTHORIZED')
  // Where keys have roles, guessing them is limited.
  if (route.config?.roles !== undefined) codes.push('RATE_LIMITED')
  if (schema.body !== undefined) codes.push(...BODY_ERRORS)
  route.schema = { ...schema, response: addErrorResponses(schema.response, codes) }
}

/** Options for the swagger plugin: the document is OpenAPI 3.1, its schemas come from zod. */
export function openApiOptions(info: {
  title: string
  version: string
  description: string
}): FastifyDynamicSwaggerOptions {
  const schemas = createOpenApiSchemas()

  function toDocumented(schema: FastifySchema): FastifySchema {
    const { body, querystring, params, headers, response, ...rest } = schema
    const documented: FastifySchema & Record<string, unknown> = rest
    if (body instanceof z.ZodType) {
      documented.body = schemas.refer(unwrapped(body), 'input')
      documented[OPTIONAL_BODY] = body.safeParse(undefined).success
    }
    if (querystring instanceof z.ZodType) documented.querystring = schemas.inline(querystring, 'input')
    if (params instanceof z.ZodType) documented.params = schemas.inline(params, 'input')
    if (headers instanceof z.ZodType) documented.headers = schemas.inline(headers, 'input')
    if (isRecord(response)) documented.response = mapValues(response, toResponse)
    return documented
  }

  function toResponse(response: unknown): unknown {
    if (response instanceof z.ZodType) {
      return { description: 'Success', content: { 'application/json': { schema: schemas.refer(response, 'output') } } }
    }
    if (!isRecord(response) || !isRecord(response.content)) return response
    const content = mapValues(response.content, (media) =>
      isRecord(media) && media.schema instanceof z.ZodType ? { schema: schemas.refer(media.schema, 'output') } : media,
    )
    return { description: response.description, content }
  }

  return {
    openapi: {
      openapi: '3.1.0',
      info,
      // Needed where the service is not bound to loopback alone.
      security: [{ key: [] }, {}],
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
    },
    transform: ({ schema, url }) => ({ schema: isRecord(schema) ? toDocumented(schema) : schema, url }),
    transformObject: (document) => {
      const complete = schemas.complete({ ...('openapiObject' in document ? document.openapiObject : {}) })
      markOptionalBodies(complete)
      return complete
    },
  }
}

/** The plugin calls every body required. */
function markOptionalBodies(document: Record<string, unknown>): void {
  const paths = isRecord(document.paths) ? Object.values(document.paths).filter(isRecord) : []
  for (const operation of paths.flatMap((path) => Object.values(path)).filter(isRecord)) {
    if (operation[OPTIONAL_BODY] === true && isRecord(operation.requestBody)) operation.requestBody.required = false
    delete operation[OPTIONAL_BODY]
  }
}

/** Whether a body may be left out is told beside its schema, not in it. */
function unwrapped(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional && schema.def.innerType instanceof z.ZodType ? schema.def.innerType : schema
}

function mapValues(record: Record<string, unknown>, map: (value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
