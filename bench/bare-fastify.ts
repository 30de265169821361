import { advanceWorkflowSchema, createWorkflowSchema } from '@orchestrator/contract'
import { fastify } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'

/** The reference: the same bodies parsed and validated by the same schemas, and nothing else. Prints its URL as a log line does. */
const app = fastify().withTypeProvider<ZodTypeProvider>()
app.setValidatorCompiler(validatorCompiler)
app.setSerializerCompiler(serializerCompiler)
const id = crypto.randomUUID()
app.post('/workflows', { schema: { body: createWorkflowSchema } }, () => ({ id, status: 'pending' }))
app.post('/workflows/:id/advance', { schema: { body: advanceWorkflowSchema } }, () => ({
  id,
  status: 'completed',
}))
const url = await app.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(`${JSON.stringify({ url })}\n`)
process.on('SIGTERM', () => process.exit(0))
