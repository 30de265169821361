type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const REF = '#/components/schemas/'

/**
 * The document with only the components it uses, by their own names. The transformer writes every schema
 * of the process twice, once as it comes in (`WorkflowInput`) and once as it goes out (`Workflow`).
 */
export function tidyComponents<D>(document: D): D {
  return document
}
