export * from './client.ts'
export type { StreamOptions } from './stream.ts'
