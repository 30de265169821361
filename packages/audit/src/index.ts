export {
  ACTS,
  hashOfAct,
  hashOfCreation,
  hashOfRow,
  hashOfWords,
  type ChainedAct,
  type ChainedRow,
  type Creation,
} from './chain.ts'
export { hashOfLine, readCheckpoints, signCheckpoint, type Checkpoint, type Head } from './checkpoints.ts'
export type { ExportLine, Words } from './export-line.ts'
export { verifyExport, type AuditReport, type Fault } from './verify.ts'
