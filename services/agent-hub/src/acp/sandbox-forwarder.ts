/**
 * Runs inside an agent's walls: `sandbox-forwarder.ts PORT SOCKET … -- PROGRAM ARGUMENT…` listens on ports of the
 * loopback of the agent's own network, passes every connection on to the hub's socket, and ends with the program.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

const cut = process.argv.indexOf('--')
const doors = process.argv.slice(2, cut)
const [program = '', ...args] = process.argv.slice(cut + 1)

for (let at = 0; at + 1 < doors.length; at += 2) {
  const [port, socket = ''] = doors.slice(at, at + 2)
  const server = createServer((inside) => {
    const outside = connect(socket)
    inside.on('error', () => outside.destroy())
    outside.on('error', () => inside.destroy())
    inside.pipe(outside).pipe(inside)
  })
  server.listen(Number(port), '127.0.0.1')
  await once(server, 'listening')
}
const child = spawn(program, args, { stdio: 'inherit' })
child.once('exit', (code) => process.exit(code ?? 1))
child.once('error', (error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(127)
})
