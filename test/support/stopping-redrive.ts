/**
 * `redrive` that stops itself at a named step: the entry of a child process in tests, with the words of the command.
 *
 * STOP_AT is `step` or `step:n` (the n-th time it gets there); STOP_SIGNAL is SIGKILL (default) or SIGSTOP. Steps: `before` and
 * `after` with open, settle, plan, begin, send, commit and note. "stopping" is printed just before the signal.
 */
import { Command } from 'commander'

import { createContext } from '../../services/local/context.ts'
import { registerRedrive } from '../../services/redrive/commands.ts'
import type { RedriveParts } from '../../services/redrive/run.ts'
import { around, env } from './stop-at-step.ts'

const stepOfState = { planned: 'plan', sent: 'note', not_sent: 'settle', unknown: 'settle' } as const

const decorate = (parts: RedriveParts): RedriveParts => {
  let isSettling = true
  return {
    ...parts,
    record: {
      ...parts.record,
      add(topic, rows) {
        isSettling &&= rows[0]?.state !== 'planned'
        return around(isSettling ? 'settle' : stepOfState[rows[0]!.state], () => parts.record.add(topic, rows))
      },
    },
    async openTransactions() {
      const transactions = await around('open', () => parts.openTransactions())
      return {
        ...transactions,
        async begin() {
          const transaction = await around('begin', () => transactions.begin())
          return {
            ...transaction,
            send: (partition, messages) => around('send', () => transaction.send(partition, messages)),
            commit: () => around('commit', () => transaction.commit()),
          }
        },
      }
    },
  }
}

const context = createContext(env, { stdout: process.stdout, stderr: process.stderr })
const program = new Command()
registerRedrive(program, context, decorate)
await program.parseAsync(process.argv).catch((thrown: unknown) => {
  process.stderr.write(`${String(thrown)}\n`)
  process.exitCode = 1
})
await context.close()
setTimeout(() => process.exit(), 1_000).unref()
