import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { before, test } from 'node:test'
import { promisify } from 'node:util'

import type { z } from 'zod'

import { createClickHouse } from '../services/shared/io/clickhouse.ts'
import { migrate } from '../services/shared/io/migrations.ts'
import { variables, viewsDatabase } from '../services/shared/io/settings.ts'
import { stackVariable } from './support/described-stack.ts'
import { sharedStack, uniqueName } from './support/stack.ts'

/**
 * The documents are true: what they name exists, and what they tell to run runs.
 *
 * A block fenced as `sh run` needs no server and is run as it stands; a `text` block right after it is its output.
 */
const root = join(import.meta.dirname, '..')
const execute = promisify(execFile)
const leftOut = new Set(['node_modules', '.git', '.data'])

const files = listFiles(root)
const folders = new Set(files.flatMap(parentsOf))
const documents = files.filter((file) => file.endsWith('.md')).map((file) => ({ file, ...readDocument(file) }))
const sources = files
  .filter((file) => !/\.md$|package-lock/.test(file))
  .map((file) => readFileSync(join(root, file), 'utf8'))
const readme = documents.find(({ file }) => file === 'README.md')!
const commands = documents.flatMap(({ file, blocks, inline }) =>
  [...blocks.filter(({ info }) => /^(sh|bash|console)/.test(info)).flatMap(({ lines }) => lines), ...inline]
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .map((line) => ({ file, line })),
)

let help: Map<string, string>
before(async () => {
  help = await readHelp()
})

test('every folder of the layout has a README', () => {
  const within = (folder: string) =>
    readdirSync(join(root, folder), { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const expected = [
    ...['.', 'schemas', 'infra', 'infra/kafka', 'infra/clickhouse', 'test'],
    ...within('services').map(({ name }) => `services/${name}`),
  ]
  assert.deepEqual(
    expected.filter((folder) => !existsSync(join(root, folder, 'README.md'))),
    [],
  )
})

for (const { file, text, inline, links } of documents) {
  test(`${file}: every link leads somewhere`, () => {
    for (const link of links.filter((found) => !/^[a-z]+:/.test(found))) {
      const [path, anchor] = link.split('#') as [string, string | undefined]
      const target = path === '' ? file : relative(root, resolve(root, dirname(file), path))
      assert.ok(existsSync(join(root, target)), `${link} is not there`)
      if (anchor !== undefined) {
        assert.ok(
          anchorsOf(readFileSync(join(root, target), 'utf8')).includes(anchor),
          `${target} has no heading #${anchor}`,
        )
      }
    }
  })

  test(`${file}: every file, folder, variable and metric it names is there`, () => {
    const missing = inline.filter((token) =>
      looksLikePath(token)
        ? !pathIsThere(token, file)
        : /^([A-Z][A-Z0-9]*_[A-Z0-9_]+|intent_ledger_[a-z_]+)$/.test(token) &&
          !sources.some((source) => source.includes(token)),
    )
    assert.deepEqual(missing, [])
  })

  if (basename(file) === 'README.md' && dirname(file) !== '.') {
    test(`${file}: it names every file and folder beside it`, () => {
      const beside = readdirSync(join(root, dirname(file)), { withFileTypes: true })
        .filter(
          ({ name }) => !name.startsWith('.') && !leftOut.has(name) && name !== 'README.md' && !name.endsWith('.d.ts'),
        )
        .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
      assert.deepEqual(
        beside.filter((name) => !text.includes(name)),
        [],
      )
    })
  }
}

test('every npm script that a document names is there', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  for (const { file, line } of commands) {
    for (const [, run, short] of line.matchAll(/\bnpm (?:run ([\w:-]+)|(test|start)\b)/g)) {
      assert.ok((run ?? short)! in scripts, `${file}: ${line}`)
    }
  }
})

test('every verb has --help with an example, and README.md names it', () => {
  for (const [verb, text] of help) {
    assert.match(text, verb === 'taxonomy' ? /check[\s\S]*explain/ : /Examples?:\n\s+np[mx] /, verb)
    assert.ok(readme.text.includes(`\`${verb}\``), `README.md does not name ${verb}`)
  }
})

test('every verb and flag in a command that a document names is one of the CLI', () => {
  const seen = commands.flatMap(({ file, line }) =>
    [
      ...line.matchAll(/(?:npx intent-ledger|docker compose run --rm (?:analyst|pipeline|steward))((?: [^`|&;]+)?)/g),
    ].map((found) => ({
      file,
      words: found[1]!.trim().split(/\s+/),
    })),
  )
  assert.ok(seen.length > 10)
  for (const { file, words } of seen.filter(
    ({ words: [verb] }) => verb !== '' && verb !== '<verb>' && !verb!.startsWith('-'),
  )) {
    const verb = help.has(`${words[0]} ${words[1]}`) ? `${words[0]} ${words[1]}` : words[0]!
    assert.ok(help.has(verb), `${file}: there is no verb ${verb}`)
    for (const flag of words.filter((word) => word.startsWith('--'))) {
      assert.ok(help.get(verb)!.includes(flag), `${file}: ${verb} has no flag ${flag}`)
    }
  }
})

test('every script and test file in a command that a document names is there', () => {
  for (const { file, line } of commands) {
    for (const [, path] of line.matchAll(/(?:\bsh |--test |\bnode )([\w./-]+\.(?:sh|ts))\b/g)) {
      assert.ok(path === 'file.ts' || existsSync(join(root, path!)), `${file}: ${line}`)
    }
  }
})

test('the commands that need no server run, and print what stands below them', async () => {
  const runs = documents.flatMap(({ file, blocks }) =>
    blocks.flatMap(({ info, lines }, index) => {
      const next = blocks[index + 1]
      return info === 'sh run'
        ? [{ file, lines, output: next?.info === 'text output' ? next.lines.join('\n') : undefined }]
        : []
    }),
  )
  assert.ok(runs.length > 0)
  for (const { file, lines, output } of runs) {
    const { stdout } = await execute('sh', ['-ec', lines.join('\n')], { cwd: root })
    if (output !== undefined) {
      assert.equal(stdout.trimEnd(), output, file)
    }
  }
})

test('the table of settings in README.md says what the code says', () => {
  const rows = [...readme.text.matchAll(/^\| `([A-Z_]+)` \|(.*?)\|(.*)\|$/gm)].map(([, name, standard, what]) => [
    name,
    standard!.trim(),
    what!.trim(),
  ])
  const expected = Object.entries(variables).map(([name, { schema, what }]) => {
    const parsed = (schema as z.ZodType<string | number | boolean | undefined>).safeParse(undefined)
    const standard = parsed.success ? String(parsed.data ?? '') : 'required'
    return [name, parsed.success && standard !== '' ? `\`${standard}\`` : standard, what]
  })
  assert.deepEqual(rows, expected)
})

test('README.md shows what the demo prints', () => {
  const shown = /<!-- demo output: begin -->\n```text\n([\s\S]+?)```\n<!-- demo output: end -->/.exec(readme.text)?.[1]
  assert.match(shown ?? '', /audit: clean/)
})

test('the queries in README.md run as analyst', async (t) => {
  if (process.env[stackVariable] === undefined) {
    t.skip('no servers in this run; `npm test` has them')
    return
  }
  const stack = await sharedStack()
  const database = uniqueName('intent_ledger_t')
  const login = (user: 'pipeline' | 'steward' | 'analyst') =>
    createClickHouse({ url: stack.clickhouseUrl, user, password: stack.secrets[`${user}Password`] })
  const [pipeline, steward, analyst] = [login('pipeline'), login('steward'), login('analyst')]
  t.after(async () => {
    await steward.command(`DROP DATABASE IF EXISTS ${viewsDatabase(database)}`)
    await steward.command(`DROP DATABASE IF EXISTS ${database}`)
    await Promise.all([pipeline.close(), steward.close(), analyst.close()])
  })
  await migrate(pipeline, { database, dedupWindowBlocks: 1_000 })
  const queries = readme.blocks.filter(({ info }) => info === 'sql').map(({ lines }) => lines.join('\n'))
  assert.ok(queries.length >= 4)
  for (const query of queries) {
    await analyst.rows(query.replaceAll('intent_ledger_views.', `${viewsDatabase(database)}.`))
  }
})

interface Block {
  readonly info: string
  readonly lines: readonly string[]
}

/** A document's text, its fenced blocks, and what stands outside of them in backticks and in links. */
function readDocument(file: string) {
  const text = readFileSync(join(root, file), 'utf8')
  const blocks: Block[] = []
  const prose = text.replace(/^```(.*)\n([\s\S]*?)^```$/gm, (_, info: string, body: string) => {
    blocks.push({ info: info.trim(), lines: body.trimEnd().split('\n') })
    return ''
  })
  const inline = [...prose.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!)
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!)
  return { text, blocks, inline, links }
}

/** `services/cli.ts`, `main.ts`, `domain/`: no address, no pattern, no URL path, no number. */
function looksLikePath(token: string): boolean {
  return (
    /^[\w.-][\w./-]*$/.test(token) &&
    (/\w\/$/.test(token) || /\.(ts|js|json|md|sql|xml|yml|sh|avsc|properties|csv|npmrc)$/.test(token))
  )
}

/** From the document, from the root, or by the end of a path; or a file that the product itself makes and names. */
function pathIsThere(token: string, document: string): boolean {
  const wanted = token.replace(/\/$/, '')
  if (/^(node_modules|\.data)\//.test(token) || existsSync(join(root, wanted))) {
    return true
  }
  const resolved = resolve(root, dirname(document), wanted)
  // Reference data beside the clone need not be there.
  if (existsSync(resolved) || relative(root, resolved).startsWith('..')) {
    return true
  }
  const all = token.endsWith('/') ? [...folders] : files
  return (
    all.some((path) => path.endsWith(`/${wanted}`)) ||
    (!wanted.includes('/') && sources.some((source) => source.includes(`'${wanted}'`)))
  )
}

/** Headings as GitHub names them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  )
}

/** The --help of every verb, by verb; `taxonomy check` and `alerts run` are such, too. */
async function readHelp(): Promise<Map<string, string>> {
  // Some twenty processes load the same files: a cache of what Node compiles halves their time.
  const cache = await mkdtemp(join(tmpdir(), 'intent-ledger-docs-'))
  const env = { ...process.env, NODE_COMPILE_CACHE: cache }
  const helpOf = async (words: readonly string[]) => {
    const { stdout } = await execute(process.execPath, ['services/cli.ts', ...words, '--help'], { cwd: root, env })
    return stdout
  }
  const verbsIn = (text: string) =>
    [.../\nCommands:\n([\s\S]*?)(\n\n|$)/.exec(text)![1]!.matchAll(/^ {2}([a-z]+(?:-[a-z]+)*)\b/gm)]
      .map((match) => match[1]!)
      .filter((verb) => verb !== 'help')
  const found = new Map<string, string>()
  const groups = ['taxonomy', 'alerts', 'audited', 'archive', 'replay', 'impact']
  const inGroups = await Promise.all(
    groups.map(async (group) => verbsIn(await helpOf([group])).map((verb) => `${group} ${verb}`)),
  )
  const verbs = [...verbsIn(await helpOf([])), ...inGroups.flat()]
  // Two at a time: each is a process that loads the whole command.
  for (let at = 0; at < verbs.length; at += 2) {
    await Promise.all(
      verbs.slice(at, at + 2).map(async (verb) => {
        found.set(verb, await helpOf(verb.split(' ')))
      }),
    )
  }
  await rm(cache, { recursive: true })
  return found
}

function listFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !leftOut.has(name))
    .flatMap((name) => {
      const path = join(folder, name)
      return statSync(path).isDirectory() ? listFiles(path) : [relative(root, path)]
    })
}

function parentsOf(file: string): string[] {
  const parent = dirname(file)
  return parent === '.' ? [] : [parent, ...parentsOf(parent)]
}
