/**
 * Runs inside an agent's walls: `sandbox-forwarder.ts SOCKET PORT PROGRAM ARGUMENT…` listens on the loopback of
 * the agent's own network, passes every connection on to the hub's socket, and ends with the program.
 */
import { spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'

const [socket = '', port = '', program = '', ...args] = process.argv.slice(2)

createServer((inside) => {
  const outside = connect(socket)
  inside.on('error', () => outside.destroy())
  outside.on('error', () => inside.destroy())
  inside.pipe(outside).pipe(inside)
}).listen(Number(port), '127.0.0.1', () => {
  const child = spawn(program, args, { stdio: 'inherit' })
  child.once('exit', (code) => process.exit(code ?? 1))
  child.once('error', (error) => {
    process.stderr.write(`${error.message}\n`)
    process.exit(127)
  })
})
