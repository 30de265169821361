import sanitizeHtml from 'sanitize-html'

/** What the eye tells apart in code; each is a class of the page. */
export const CODE_KINDS = [
  'keyword',
  'string',
  'number',
  'comment',
  'name',
  'type',
  'property',
  'added',
  'removed',
] as const

const LINES = ['data-line-start', 'data-line-end']

/** The only HTML that leaves for a browser: what agents wrote is hostile, whichever way it went through our own code. */
export function sanitise(html: string): string {
  return sanitizeHtml(html, {
    allowedTags: [
      'h1',
      'h2',
      'h3',
      'h4',
      'h5',
      'h6',
      'p',
      'blockquote',
      'ul',
      'ol',
      'li',
      'hr',
      'pre',
      'code',
      'br',
      'em',
      'strong',
      's',
      'a',
      'span',
      'ins',
      'del',
      'table',
      'thead',
      'tbody',
      'tr',
      'th',
      'td',
    ],
    allowedAttributes: {
      '*': [...LINES, 'data-changed', 'data-removed'],
      a: ['href', 'rel', 'target'],
      code: ['class'],
      ol: ['start', ...LINES],
      span: ['class', 'role', 'aria-label', 'data-old-line'],
      pre: ['class'],
    },
    allowedClasses: {
      code: [/^language-[a-z0-9+-]{1,30}$/i],
      span: ['task-open', 'task-done', 'line', 'gap', 'added', 'removed', ...CODE_KINDS.map((kind) => `code-${kind}`)],
      pre: ['source', 'compared'],
    },
    allowedSchemes: ['http', 'https', 'mailto'],
    allowProtocolRelative: false,
    transformTags: { a: sanitizeHtml.simpleTransform('a', { rel: 'noreferrer noopener nofollow', target: '_blank' }) },
  })
}

const SIGNS: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

export const escapeHtml = (text: string): string => text.replaceAll(/[&<>"]/g, (sign) => SIGNS[sign] ?? sign)
