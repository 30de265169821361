const CSP_BASE = [
  "default-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
]

/** For our own pages: only our own files, no inline script, no inline style, no frame around us. */
export const CONTENT_SECURITY_POLICY = [...CSP_BASE, "img-src 'self' data:"].join('; ')

/** Swagger UI and ReDoc write style elements while they run, and ReDoc searches in a worker made from a blob. */
export const DOCS_CONTENT_SECURITY_POLICY = [
  ...CSP_BASE,
  "img-src 'self' data:",
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self' data:",
  'worker-src blob:',
].join('; ')

/** On every answer; a route may set its own policy or cache header after these. */
export const SECURITY_HEADERS: Record<string, string> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}
