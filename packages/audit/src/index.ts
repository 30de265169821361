export { hashOfCreation, hashOfRow, hashOfWords, type ChainedRow, type Creation } from './chain.ts'
