import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const API = process.env['ORCHESTRATOR_URL'] ?? 'http://127.0.0.1:8000'

/** Some addresses are a page and an API route at once: a browser that navigates asks for HTML by name. */
const forwarded = {
  target: API,
  bypass: (request: { headers: { accept?: string | undefined } }) =>
    request.headers.accept?.includes('text/html') === true ? '/index.html' : undefined,
}

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: {
    outDir: 'dist',
    assetsDir: 'assets',
    // The content security policy allows neither data: images nor inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // light-dark() and native popovers, without a fallback that the policy or the budget would have to carry.
    target: ['chrome123', 'edge123', 'firefox125', 'safari17.5'],
    reportCompressedSize: false,
  },
  server: {
    proxy: Object.fromEntries(
      ['/workflows', '/workflow-types', '/features', '/agents', '/artifacts', '/events', '/health', '/session'].map(
        (path) => [path, forwarded],
      ),
    ),
  },
})
