/** What a person calls the database: the path of a file, or the address of a server without the password. */
export function databasePath(url: string): string {
  if (url === 'sqlite:///:memory:') return 'in memory, gone when it ends'
  if (url.startsWith('sqlite:///')) return url.slice('sqlite:///'.length)
  return url.replace(/\/\/[^@/]*@/, '//')
}
