/**
 * No statement is built from what a user typed: values travel as parameters, identifiers come from closed lists. Tried on every
 * option that the command has, as its own program lists them, and on every setting.
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'

import { CommanderError, type Command } from 'commander'
import ts from 'typescript'

import { createContext } from '../../../services/local/context.ts'
import { PipelineError } from '../../../services/shared/domain/faults.ts'
import { readSettings, variables, type VariableName } from '../../../services/shared/io/settings.ts'
import { createProgram } from '../../../services/verbs.ts'
import { cliEnvironment } from '../../support/cli.ts'
import { recordStatements } from '../../support/clickhouse-recorder.ts'
import { freeText, optionTexts } from '../../support/option-texts.ts'
import { sqlPieces } from '../../support/sql-pieces.ts'
import { viewsCase } from '../../support/views-case.ts'

const mark = 'zqxjkv'
const hostile = [
  `${mark}'`,
  `${mark}' OR 1 = 1 --`,
  `' UNION ALL SELECT '${mark}`,
  `${mark}\`; DROP TABLE x; --`,
  `${mark}" OR "" = "`,
  `${mark}\\`,
  `${mark}\\' OR 1 --`,
  `*/ ${mark} /*`,
  `{${mark}:String}`,
  `${mark}\n; SELECT 1`,
  `${mark}\u0000`,
  `%27${mark}`,
  `\${${mark}}`,
]
const veryLong = `${mark}${'x'.repeat(200_000)}`

const sqlWords =
  /\b(SELECT|INSERT INTO|ALTER TABLE|CREATE (DATABASE|TABLE|VIEW)|DROP (DATABASE|TABLE)|TRUNCATE|FROM|WHERE|AND)\b/

test('statements hold nothing but names of ours and pieces of SQL', () => {
  const root = join(import.meta.dirname, '../../..')
  const found: string[] = []
  let seen = 0
  for (const file of globSync('services/**/*.ts', { cwd: root })) {
    const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true)
    const visit = (node: ts.Node): void => {
      if (ts.isTemplateExpression(node) && sqlWords.test(node.getText())) {
        for (const { expression } of node.templateSpans) {
          seen++
          const piece = expression.getText().replace(/\s+/g, ' ')
          if (!sqlPieces.has(piece)) {
            found.push(`${file}: \${${piece}}`)
          }
        }
      }
      ts.forEachChild(node, visit)
    }
    visit(source)
  }
  assert.ok(seen > 80, `${seen} pieces`)
  assert.deepEqual(found, [], 'make it a parameter, or add it to test/support/sql-pieces.ts with the reason')
})

test('every setting refuses hostile text or puts it where no statement is', () => {
  for (const name of Object.keys(variables) as VariableName[]) {
    for (const text of [...hostile, veryLong]) {
      let accepted = true
      try {
        readSettings({ [name]: text }, [name])
      } catch (thrown) {
        accepted = false
        assert.ok(thrown instanceof PipelineError && thrown.code === 'config_invalid', `${name}: ${String(thrown)}`)
        assert.ok(thrown.message.length < 500, `${name}: ${thrown.message.length} characters`)
      }
      assert.ok(!accepted || name in freeText, `${name} takes ${JSON.stringify(text.slice(0, 40))}`)
    }
  }
})

test('every verb', async (t) => {
  const { stack, database } = await viewsCase(t)
  const recorder = await recordStatements(t, stack.clickhouseUrl)
  const env = { ...cliEnvironment(stack), CLICKHOUSE_URL: recorder.url, CLICKHOUSE_DATABASE: database }
  t.after(() => (process.exitCode = 0))

  /** Runs a verb in this process, so that text can be anything, and returns what was thrown. */
  const run = async (verb: string, args: readonly string[], role: 'pipeline' | 'analyst' = 'pipeline') => {
    const streams = { stdout: new PassThrough().resume(), stderr: new PassThrough().resume() }
    const login = { CLICKHOUSE_USER: role, CLICKHOUSE_PASSWORD: stack.secrets[`${role}Password`] }
    const context = createContext({ ...env, ...login }, streams)
    try {
      const program = await createProgram(context)
      for (const command of [program, ...commandsOf(program)]) {
        command.configureOutput({ writeErr: () => undefined, writeOut: () => undefined })
      }
      await program.parseAsync(['node', 'intent-ledger', ...verb.split(' '), ...args])
      return undefined
    } catch (thrown) {
      return thrown
    } finally {
      await context.close()
    }
  }

  await t.test('and option is one that this test knows', async () => {
    const streams = { stdout: new PassThrough(), stderr: new PassThrough() }
    const listed = commandsOf(await createProgram(createContext({}, streams)))
      .filter((command) => command.commands.length === 0)
      .map((command) => {
        const path = command.parent?.name() === 'intent-ledger' ? [] : [command.parent!.name()]
        const names = [
          ...command.registeredArguments.map((argument) =>
            argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
          ),
          ...command.options.map((option) => option.long!),
        ]
        return [[...path, command.name()].join(' '), names.sort()] as const
      })
    assert.deepEqual(
      Object.fromEntries(listed),
      Object.fromEntries(Object.entries(optionTexts).map(([verb, known]) => [verb, Object.keys(known).sort()])),
    )
  })

  const needed: Record<string, readonly string[]> = {
    import: ['/nonexistent', '--dry-run'],
    // Any path can be written to, and nothing is sent.
    'simulate-ecosystem': ['--households=0'],
    'archive run': ['/nonexistent'],
    export: ['/nonexistent/file', '--view=usage_share'],
    'archive verify': ['/nonexistent'],
    'taxonomy explain': ['music_play'],
    'audited draw': ['20', '/nonexistent/drawn.csv', '--drawn=random'],
    'audited load': ['/nonexistent', '--name=spring', '--drawn=random'],
    'alerts backtest': ['--from=2026-01-01', '--to=2026-01-02'],
    'alerts explain': ['broad_share_falls_in_a_country', '--at=2026-01-02'],
    redrive: ['--reason=unknown_schema'],
    'impact paid-tier': ['/nonexistent'],
    'impact pnl': ['/nonexistent'],
    'replay run': ['some_name'],
    'replay verify': ['live'],
    'replay diff': ['live', 'some_name'],
  }
  const besidePositional: Record<string, readonly string[]> = {
    import: ['--dry-run'],
    'audited draw': ['/nonexistent/drawn.csv', '--drawn=random'],
    'audited load': ['--name=spring', '--drawn=random'],
    'alerts explain': ['--at=2026-01-02'],
    // Any path is one, and would be made.
    'archive run': ['--to=nowhere'],
    export: ['--view=nothing'],
    'replay diff': ['live'],
  }
  for (const [verb, known] of Object.entries(optionTexts)) {
    for (const [option, fate] of Object.entries(known)) {
      if (fate !== 'refused' && fate !== 'file') {
        continue
      }
      await t.test(`${verb} ${option} refuses hostile text with a sentence`, async () => {
        for (const text of [...hostile, veryLong]) {
          const given = option.startsWith('--')
            ? [...(needed[verb] ?? []), `${option}=${text}`]
            : [`./${text}`, ...(besidePositional[verb] ?? [])]
          const thrown = await run(verb, given)
          assert.ok(
            thrown instanceof PipelineError || thrown instanceof CommanderError,
            `${String(thrown)} of ${text.slice(0, 40)}`,
          )
          assert.match(thrown instanceof PipelineError ? thrown.code : 'usage', /^(usage|config|file)/)
        }
      })
    }
  }

  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-injection-'))
  t.after(() => rm(folder, { recursive: true }))
  const taking: [string, 'analyst' | 'pipeline', readonly string[]][] = [
    ['share', 'analyst', []],
    ['intents', 'analyst', []],
    ['rejected', 'pipeline', []],
    ['export', 'analyst', [join(folder, 'rows'), '--view=usage_share', '--force']],
  ]
  for (const [verb, role, besides] of taking) {
    const values = Object.entries(optionTexts[verb]!).flatMap(([option, fate]) => (fate === 'value' ? [option] : []))
    await t.test(`${verb} ${values.join(' ')} sends hostile text as values, not as SQL`, async () => {
      for (const text of hostile) {
        const before = recorder.statements.length
        const given = [...besides, ...values.map((option) => `${option}=${text}`)]
        assert.equal(await run(verb, [...given, '--from=2026-01-01', '--to=2026-01-31'], role), undefined)
        assert.ok(recorder.statements.length > before)
      }
      for (const option of values) {
        const thrown = await run(verb, [...besides, `${option}=${veryLong}`], role)
        assert.match(String(thrown), /at most \d+ characters/)
        assert.ok(String(thrown).length < 300)
      }
    })
  }

  await t.test('left no trace of it in any statement', () => {
    assert.ok(recorder.statements.length > 30)
    assert.deepEqual(
      recorder.statements.filter((statement) => statement.includes(mark)),
      [],
    )
  })
})

function commandsOf(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...commandsOf(child)])
}
