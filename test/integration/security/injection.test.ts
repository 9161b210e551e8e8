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

/**
 * What becomes of text in each option: `value` goes to ClickHouse as a parameter, `refused` is checked against a closed list or
 * a pattern, `file` names a file and is given to no server, `local` starts the embedded stack and is tried in its own tests.
 */
const options: Record<string, Record<string, 'value' | 'refused' | 'file' | 'local' | 'flag'>> = {
  demo: { '--data': 'local', '--events': 'local', '--seed': 'local' },
  start: { '--data': 'local', '--events': 'local', '--seed': 'local', '--rate': 'local' },
  stack: { '--data': 'local' },
  'demo-alerts': { '--data': 'local', '--households': 'local', '--seed': 'local' },
  'demo-impact': { '--data': 'local', '--households': 'local', '--seed': 'local', '--html': 'local' },
  migrate: {},
  simulate: {
    ...{
      '--events': 'refused',
      '--households': 'refused',
      '--days': 'refused',
      '--until': 'refused',
      '--rate': 'refused',
    },
    ...{ '--seed': 'refused', '--duplicates': 'refused', '--malformed': 'refused', '--schema-version': 'refused' },
    '--format': 'refused',
  },
  'simulate-ecosystem': {
    ...{ '--households': 'refused', '--seed': 'refused', '--duplicates': 'refused', '--truth': 'file' },
    '--format': 'refused',
  },
  import: {
    ...{
      '<file>': 'file',
      '--mapping': 'file',
      '--until': 'refused',
      '--rejects': 'file',
      '--schema-version': 'refused',
    },
    ...{ '--dry-run': 'flag', '--format': 'refused' },
  },
  classify: { '--stream': 'refused', '--force': 'flag', '--with-parent': 'flag' },
  share: {
    ...{ '--from': 'refused', '--to': 'refused', '--by': 'refused', '--product': 'value', '--cohort': 'refused' },
    ...{ '--country': 'value', '--plans': 'value', '--format': 'refused' },
  },
  intents: {
    ...{ '--from': 'refused', '--to': 'refused', '--limit': 'refused', '--product': 'value', '--country': 'value' },
    ...{ '--class': 'refused', '--format': 'refused' },
  },
  export: {
    ...{ '<file>': 'file', '--view': 'refused', '--format': 'refused', '--from': 'refused', '--to': 'refused' },
    ...{ '--by': 'refused', '--product': 'value', '--cohort': 'refused', '--country': 'value', '--plans': 'value' },
    ...{ '--value-class': 'refused', '--force': 'flag' },
  },
  rejected: { '--list': 'refused', '--reason': 'value', '--from': 'refused', '--to': 'refused', '--format': 'refused' },
  redrive: {
    ...{ '--reason': 'refused', '--from': 'refused', '--to': 'refused', '--dry-run': 'flag', '--format': 'refused' },
    '--stream': 'refused',
  },
  audit: { '--stream': 'refused', '--format': 'refused' },
  repair: { '--stream': 'refused', '--dry-run': 'flag', '--yes': 'flag' },
  'audited draw': {
    ...{ '<events>': 'refused', '<file>': 'file', '--drawn': 'refused', '--from': 'refused', '--to': 'refused' },
    '--seed': 'refused',
  },
  'audited load': {
    ...{ '<file>': 'file', '--name': 'refused', '--drawn': 'refused', '--dry-run': 'flag', '--format': 'refused' },
  },
  'audited list': { '--format': 'refused' },
  'audited drop': { '<audit>': 'refused' },
  'alerts check': { '--rules': 'file', '--format': 'refused' },
  'alerts schema': {},
  'alerts run': { '--rules': 'file' },
  'alerts backtest': {
    ...{ '--from': 'refused', '--to': 'refused', '--rule': 'refused', '--rules': 'file', '--format': 'refused' },
  },
  'alerts explain': { '<rule>': 'refused', '--at': 'refused', '--rules': 'file', '--format': 'refused' },
  'alerts status': { '--rules': 'file', '--format': 'refused' },
  'archive run': {
    ...{ '<dir>': 'file', '--from': 'refused', '--to': 'refused', '--follow': 'flag', '--format': 'refused' },
    ...{ '--range-messages': 'refused', '--range-mb': 'refused', '--range-seconds': 'refused' },
    '--stream': 'refused',
  },
  'archive verify': { '<dir>': 'file', '--format': 'refused' },
  'replay run': {
    ...{ '<name>': 'refused', '--from': 'refused', '--to': 'refused', '--taxonomy': 'refused', '--source': 'refused' },
    ...{ '--processes': 'refused', '--rate': 'refused', '--with-parent': 'refused', '--format': 'refused' },
  },
  'replay verify': { '<name>': 'refused', '--like': 'refused', '--format': 'refused' },
  'replay list': { '--format': 'refused' },
  'replay drop': { '<name>': 'refused', '--yes': 'flag' },
  'replay diff': { '<before>': 'refused', '<after>': 'refused', '--by': 'refused', '--format': 'refused' },
  'impact paid-tier': {
    ...{ '<scenario>': 'file', '--months': 'refused', '--seed': 'refused', '--format': 'refused' },
  },
  'impact pnl': {
    ...{ '<assumptions>': 'file', '--product': 'refused', '--by': 'refused', '--from': 'refused', '--to': 'refused' },
    ...{ '--currency': 'refused', '--format': 'refused' },
  },
  'impact causal': {
    ...{ '--product': 'refused', '--from': 'refused', '--to': 'refused', '--line': 'refused', '--currency': 'refused' },
    '--format': 'refused',
  },
  'impact claims': {
    ...{ '--from': 'refused', '--to': 'refused', '--by': 'refused', '--currency': 'refused', '--format': 'refused' },
  },
  'taxonomy check': { '[file]': 'file', '--format': 'refused' },
  'taxonomy explain': {
    ...{
      '<intent>': 'refused',
      '--outcome': 'refused',
      '--plan': 'value',
      '--purchase': 'flag',
      '--taxonomy': 'refused',
    },
    '--format': 'refused',
  },
}

/** Settings that take any text, and where it goes. All others refuse it. */
const freeText: Partial<Record<VariableName, string>> = {
  KAFKA_BROKERS: 'a host name to connect to',
  KAFKA_SSL_CA_FILE: 'a path',
  KAFKA_SASL_USERNAME: 'the login',
  KAFKA_SASL_PASSWORD: 'the login',
  CLICKHOUSE_SSL_CA_FILE: 'a path',
  CLICKHOUSE_URL: 'an address to connect to',
  CLICKHOUSE_USER: 'a header of the request',
  CLICKHOUSE_PASSWORD: 'a header of the request',
  SCHEMA_REGISTRY_URL: 'an address to connect to',
  SCHEMA_REGISTRY_USER: 'a header of the request',
  SCHEMA_REGISTRY_PASSWORD: 'a header of the request',
  HTTP_HOST: 'an address to listen on',
  ALERT_MANAGER_URL: 'an address to connect to',
  ALERT_MANAGER_USER: 'a header of the request',
  ALERT_MANAGER_PASSWORD: 'a header of the request',
  ALERT_WEBHOOK_URL: 'an address to connect to',
  ALERT_WEBHOOK_USER: 'a header of the request',
  ALERT_WEBHOOK_PASSWORD: 'a header of the request',
}

/** What may stand in the text of a statement: names of our own, and pieces of SQL that the same file wrote. */
const pieces = new Set([
  ...['database', 'deps.database', 'options.database', 'store.database', 'deps.store.database', 'stagingDatabase'],
  // A setting; its pattern lets through intent_ledger and lower case letters, digits and _ after it.
  ...['settings.CLICKHOUSE_DATABASE', 'viewsDatabase(database)', 'onCluster'],
  ...["options.cluster === undefined ? '' : 'Replicated'"],
  // Tables and columns of the stream's definition, fates, roll-ups, and names drawn by us.
  ...['table', 'target', 'raw', 'staging', 'fate', 'insert.table', 'options.table ?? insert.table', 'stream.table'],
  ...['deps.stream.table', 'rollup.table', "insert.columns.join(', ')", "insert.select.join(', ')", 'insert.structure'],
  ...["sums('raw')", "sums('rollup')", 'keyText', 'rollupKeyText', 'using', 'select', 'source'],
  ...["names.map((name) => `raw_${name} != rollup_${name}`).join(' OR ')"],
  ...["names.map((name) => `toString(raw_${name}) AS r_${name}, toString(rollup_${name}) AS u_${name}`).join(', ')"],
  // Conditions, whose values are parameters.
  ...[
    'range',
    'ofRange',
    'ofLedgerRange',
    'inPart',
    'became',
    "fates.join(' UNION ALL ')",
    'options.where',
    "where.join(' AND ')",
  ],
  ...["day === undefined ? '' : 'WHERE day = {day:Date}'", "where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`"],
  // A view's name, order and the names of its parameters from one closed list; values are parameters.
  ...['call', 'order', 'views', 'exportFormatNames[format]'],
  // What ClickHouse itself answered: a month as a number, the id of a partition.
  ...['month', 'partition_id'],
  // The alerts' sums: expressions of the same file by a rule's dimensions, measure and window, each from a closed list; what a rule
  // filters by is a parameter.
  ...[
    "hits.map(([, name]) => name).join(', ')",
    'keys(family)',
    'bucket',
    'x',
    'y',
    'filtered(family)',
    'daysOf(family)',
  ],
  ...["windowOf(family, 'day')", "windowOf(family, 'occurred_at')", "windowOf(family, 'recorded_at')"],
  ...["filterBy.map((dimension) => columnOf[dimension]).join(', ')", "asked.join(', ')", 'windowMs[family.window]'],
  ...['columns(family.filterBy)', 'columns(family.by)', 'count', 'cells', 'rejected', 'requestsOnly'],
  ...["part('intent_events', 0)", "part('duplicate_events', 0)", "part('rejected_events', 1)"],
  // Samples to be audited: expressions of the same file, by a way to draw from a closed list.
  ...['sample', 'inWindow', 'columns', 'isCalled', 'called'],
  // The made history of the alert demo: numbers and names that it has itself, names quoted by `strings`; and the demo's own
  // databases, as ClickHouse lists them.
  ...['name', 'dimensions(cohorts)', 'taxonomyVersion', 'householdDays(tables)', 'restClass', 'poisson'],
  ...['notARequestShare', 'unclassifiedShare', 'products', 'slices', 'cell', 'sets(cells)', 'seed', 'activeShare'],
  ...['numbers(cells.map(({ bought }) => bought))', 'numbers(cells.map(({ requests }) => requests))'],
  ...['numbers(cells.flatMap(({ parts }) => parts))', 'numbers(cells.map(({ direct }) => direct))'],
  ...['numbers(cells.map(({ rest }) => rest))', 'numbers(tastes)', 'numbers(buyers)', 'days[0]!', 'days.at(-1)! + 1'],
  ...['numbers(weightUpTo.slice(0, -1))', 'cohorts.months.length', 'cohorts.prime', 'rateMedian', 'rateSigma'],
  ...['strings(Object.keys(cohorts.countries))', 'numbers([0, ...upTo])', 'numbers(upTo)', 'upTo.at(-1)!'],
  // A replay: tables, columns and keys of the stream and of its roll-ups, and the ranges of the log, whose numbers are parameters
  // named by their place.
  ...['source.database', 'within.sql', 'within', 'where', 'from', 'rows', 'sums', 'keys', 'at', 'rollup.where'],
  ...["[keys, ...measures, ...householdsOf(rollup, 'uniqCombined64Merge(r.households)')].join(', ')"],
  ...["[...keys, ...measures, ...householdsOf(rollup, 'uniqCombined64(household)')].join(', ')"],
  ...["parts.map((part) => `(${part})`).join(' OR ')", "rollup.keys.join(', ')", "columns.join(', ')"],
  ...["cluster === undefined ? '' : 'Replicated'", 'redrivenCopies(database)'],
  // A profit and loss: expressions of the same file over its own columns.
  ...['devices(database)', 'sold', "month('since')", "month('greatest(since, back_on)')", "month('cohort_month')"],
  ...["month('day')", "month('min(since)')", "month('toDate(step.1)')"],
  // Credits of orders: statements of our own inside each other, expressions of the same file by methods, fates and dimensions from
  // closed lists, and whole numbers of ours.
  ...['creditedOrders(database)', 'ordersWithOwners(database)', 'shapleyWeights(database)', 'refundedLines(database)'],
  ...['devicesByHousehold(database)', 'householdDays(database)', 'householdsWithoutDevices(database)'],
  ...['worths(database)', 'margins(database)', 'owners(database, by)', "ownedOn('toDate(ordered_at)')"],
  ...[
    "ownedOn('span.1')",
    "ownedOn('{to:Date}')",
    'creditSums()',
    'statement',
    'fates',
    'credits',
    'dimensions',
    'cohort',
    'line',
    'year',
    'day',
  ],
  ...['sharesWhole', 'ownedMax', "creditMethods.map(sharedOut).join(', ')"],
  ...["creditMethods.map((method) => `toInt128(margin_micros) AS ${method}_sum`).join(', ')"],
  ...["creditMethods.map((method) => `${method}_sum != margin_micros`).join(' OR ')"],
  ...["creditMethods.map((method) => `toString(${method}_total) AS ${method}`).join(', ')"],
  ...["creditMethods.map((method) => `sum(${method}_sum) AS ${method}_total`).join(', ')"],
  ...["creditMethods.map((method) => `${method}_total != raw.margin_micros`).join(' OR ')"],
  "creditMethods.map((method) => `${method}_micros[indexOf(${method}_products, product)] AS ${method}_credit`).join(', ')",
  // The demo's sentences.
  ...['window.from', 'window.to'],
])

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
          if (!pieces.has(piece)) {
            found.push(`${file}: \${${piece}}`)
          }
        }
      }
      ts.forEachChild(node, visit)
    }
    visit(source)
  }
  assert.ok(seen > 80, `${seen} pieces`)
  assert.deepEqual(found, [], 'make it a parameter, or add it to the list here with the reason')
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
      Object.fromEntries(Object.entries(options).map(([verb, known]) => [verb, Object.keys(known).sort()])),
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
  for (const [verb, known] of Object.entries(options)) {
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
    const values = Object.entries(options[verb]!).flatMap(([option, fate]) => (fate === 'value' ? [option] : []))
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
