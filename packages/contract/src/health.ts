import * as z from 'zod'

export const healthSchema = z
  .object({
    status: z.enum(['healthy', 'degraded', 'unhealthy']),
    version: z.string(),
    uptime_seconds: z.number().nonnegative(),
    reasons: z.array(z.string()).describe('Why it is not healthy, in plain words; empty when it is'),
  })
  .meta({ id: 'Health' })
export type Health = z.infer<typeof healthSchema>
