import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { test } from 'node:test'

// The architecture as tests: who may import whom, where the environment is read, how long a file may be. The rules and
// their reasons stand in ARCHITECTURE.md.

const root = join(import.meta.dirname, '..')
const ignored = /(^|\/)(node_modules|\.git|\.data)(\/|$)/
const listed = (pattern: string) =>
  globSync(pattern, { cwd: root, exclude: (path) => ignored.test(String(path)) })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => !ignored.test(path))
    .sort()
const read = (path: string) => readFileSync(join(root, path), 'utf8')

const services = listed('services/**/*.ts')
const tests = listed('test/**/*.ts')
const textFiles = listed('**/*')
  .concat(listed('.ci/*'), listed('.*rc*'), listed('.gitignore'))
  .filter((path) =>
    /(\.(ts|js|json|md|sql|xml|ya?ml|sh|avsc|properties)|Dockerfile|\.npmrc|\.gitignore|\.ci\/\w+)$/.test(path),
  )

interface Import {
  readonly file: string
  /** The specifier of a package or node:, or the path from the root of a file. */
  readonly target: string
}

/** Static imports, re-exports, dynamic imports and `import type`, also over several lines. */
const importStatement = /^\s*(?:import|export)\s(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm

function importsOf(file: string): Import[] {
  return [...read(file).matchAll(importStatement)].map(([, fixed, dynamic]) => {
    const specifier = fixed ?? dynamic!
    const target = specifier.startsWith('.') ? relative(root, join(root, dirname(file), specifier)) : specifier
    return { file, target: target.replaceAll('\\', '/') }
  })
}

const imports = services.flatMap(importsOf)
const isPackage = (target: string) => !/^(services|test|schemas|infra)\//.test(target)

/** The part of services/ a file belongs to: a layer of shared, a service, or the command itself. */
function partOf(path: string): string {
  const [, first, second] = path.split('/')
  return first === 'shared' ? `shared/${second}` : first!
}

function assertNone(found: readonly string[], rule: string): void {
  assert.equal(found.length, 0, `${rule}:\n  ${found.join('\n  ')}`)
}

const show = ({ file, target }: Import) => `${file} imports ${target}`

/** What each part may import, besides itself. `packages` are npm and node:. */
const mayImport: Record<string, { parts: readonly string[]; packages: boolean }> = {
  'shared/domain': { parts: [], packages: false },
  'shared/io': { parts: ['shared/domain'], packages: true },
  'shared/pipeline': { parts: ['shared/domain', 'shared/io'], packages: true },
}
const shared = Object.keys(mayImport)
/** The command and the embedded stack start the services, so they know them. */
const knowsServices = ['cli.ts', 'verbs.ts', 'local']

test('finds the files and imports that it judges', () => {
  assert.ok(
    services.length > 50 && tests.length > 30 && textFiles.length > 100,
    `${services.length} ${tests.length} ${textFiles.length}`,
  )
  assert.ok(imports.length > 200, `${imports.length} imports`)
  assert.ok(imports.some(({ target }) => target === 'services/shared/domain/fate.ts'))
})

test('keeps the domain pure: it imports nothing but the domain', () => {
  assertNone(
    imports
      .filter(({ file, target }) => partOf(file) === 'shared/domain' && !target.startsWith('services/shared/domain/'))
      .map(show),
    'the domain imports only the domain',
  )
})

test('keeps clock, randomness and environment out of the domain', () => {
  const impure =
    /\b(Date\.now|new Date\(\)|performance\.|Math\.random|crypto\.|process\.|setTimeout|setInterval|fetch\(|console\.|Buffer\.(from|alloc)\()/
  const found = services
    .filter((file) => partOf(file) === 'shared/domain')
    .flatMap((file) =>
      read(file)
        .split('\n')
        .map((line, index) => ({ file, line, number: index + 1 })),
    )
    // Buffers of the wire format are made in one place; bytes come from nowhere else.
    .filter(
      ({ file, line }) =>
        impure.test(line) &&
        !/^\s*(\*|\/\/|\/\*)/.test(line) &&
        !(file.endsWith('/wire.ts') && line.includes('Buffer.alloc')),
    )
  assertNone(
    found.map(({ file, number, line }) => `${file}:${number} ${line.trim()}`),
    'the domain knows no clock, chance or environment',
  )
})

test('lets each part import only what stands below it, and no service another', () => {
  const wrong = imports.filter(({ file, target }) => {
    const from = partOf(file)
    if (isPackage(target) || knowsServices.includes(from)) {
      return false
    }
    if (/^(schemas|infra)\//.test(target)) {
      return true
    }
    const to = partOf(target)
    return to !== from && !(mayImport[from]?.parts ?? shared).includes(to)
  })
  assertNone(wrong.map(show), 'domain <- io <- pipeline <- service; a service imports itself and shared')
})

test('lets nothing in services import a test', () => {
  assertNone(imports.filter(({ target }) => target.startsWith('test/')).map(show), 'nothing imports test/')
})

for (const [name, file] of [
  ['kafkajs', 'services/shared/io/kafka.ts'],
  ['@clickhouse/client', 'services/shared/io/clickhouse.ts'],
  ['avro-js', 'services/shared/io/avro.ts'],
  ['pino', 'services/shared/io/log.ts'],
] as const) {
  test(`imports ${name} in ${file} alone`, () => {
    const found = imports
      .filter(({ target }) => target === name || target.startsWith(`${name}/`))
      .map((each) => each.file)
    // A record decoder beside kafkajs reaches into kafkajs itself; it may stand beside its one file.
    const others = found.filter(
      (each) => each !== file && !(name === 'kafkajs' && /^services\/shared\/io\/kafka-record/.test(each)),
    )
    assertNone([...new Set(others)], `${name} belongs to ${file}`)
    assert.ok(found.includes(file))
  })
}

test('imports only packages that package.json names, no development ones in services', () => {
  const manifest = JSON.parse(read('package.json')) as Record<
    'dependencies' | 'optionalDependencies' | 'devDependencies',
    Record<string, string>
  >
  const runtime = { ...manifest.dependencies, ...manifest.optionalDependencies }
  const nameOf = (target: string) =>
    target
      .split('/')
      .slice(0, target.startsWith('@') ? 2 : 1)
      .join('/')
  const unknown = (list: Import[], known: object) =>
    list
      .filter(({ target }) => isPackage(target) && !target.startsWith('node:') && !(nameOf(target) in known))
      .map(show)
  assertNone(unknown(imports, runtime), 'a service imports what is installed with it')
  assertNone(
    unknown(tests.flatMap(importsOf), { ...runtime, ...manifest.devDependencies }),
    'a test imports what package.json names',
  )
})

test('names node: modules with their prefix', () => {
  const builtin =
    /^(assert|child_process|crypto|events|fs|http|https|net|os|path|stream|test|timers|url|util|zlib)(\/|$)/
  assertNone(
    [...imports, ...tests.flatMap(importsOf)]
      .filter(({ target }) => builtin.test(target))
      .map(show)
      .filter((line) => !line.includes('imports test/')),
    'node:fs, not fs',
  )
})

test('reads the environment only where a process starts', () => {
  const allowed = new Set(['services/cli.ts', 'services/local/clickhouse-child.ts'])
  assertNone(
    services.filter((file) => !allowed.has(file) && /process\s*\.\s*env\b/.test(read(file))),
    'process.env is passed in, not read',
  )
})

test('keeps every file in services within 300 lines', () => {
  const long = services
    .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
    .filter(({ lines }) => lines > 300)
  assertNone(
    long.map(({ file, lines }) => `${file}: ${lines} lines`),
    'a file that nobody can read is split',
  )
})

test('writes erasable TypeScript: no enum, no namespace, no parameter properties', () => {
  const kept =
    /^\s*(export\s+)?(declare\s+)?(const\s+)?enum\s|^\s*(export\s+)?namespace\s|constructor\([^)]*\b(private|public|protected|readonly)\s/m
  assertNone(
    [...services, ...tests].filter((file) => kept.test(read(file))),
    'Node only erases types',
  )
})

test('has classes only for errors', () => {
  const found = services.flatMap((file) =>
    [...read(file).matchAll(/^(?:export )?(?:abstract )?class (\w+)(?: extends (\w+))?/gm)]
      .filter(([, name, parent]) => !/Error$/.test(parent ?? '') && name !== 'SilentLogger')
      .map(([, name]) => `${file}: class ${name}`),
  )
  // SilentLogger: @clickhouse/client wants a class to make its logger of.
  assertNone(found, 'createX(deps) returns functions')
})

test('has no barrels and no drawers: files are named by what they do', () => {
  const drawer = /^(utils?|helpers?|common|misc|index|types)\.ts$/
  assertNone(
    [...services, ...tests].filter((file) => drawer.test(basename(file))),
    'no utils.ts, no index.ts',
  )
  const barrel = services.filter((file) => /^export \* from/m.test(read(file)))
  assertNone(barrel, 'nothing is exported on')
})

test('names files in kebab-case', () => {
  assertNone(
    [...services, ...tests].filter((file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d)?\.ts$/.test(basename(file))),
    'kebab-case',
  )
})

test('leaves no unfinished note', () => {
  const note = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'HA' + 'CK'].join('|')})\\b`)
  assertNone(
    textFiles.filter((file) => file !== 'package-lock.json' && note.test(read(file))),
    'what is to be done is an issue',
  )
})

test('names no host of a package registry and no path of one machine', () => {
  const hosts = [
    ['registry', 'npmjs', 'org'].join('.'),
    ['registry', 'yarnpkg', 'com'].join('.'),
    ['npmmirror', 'com'].join('.'),
    ['repo', 'maven', 'apache', 'org'].join('.'),
    ['repo1', 'maven', 'org'].join('.'),
    ['pypi', 'org'].join('.'),
  ]
  const paths = new RegExp(
    ['/wo' + 'rk/', '/ho' + 'me/\\w', '/ro' + 'ot/', '/tm' + 'p/\\w', '/Use' + 'rs/\\w']
      .map((path) => `(?<![\\w.$}])${path}`)
      .join('|'),
  )
  const wrong = textFiles.filter((file) => {
    const text = read(file)
    return hosts.some((host) => text.includes(host)) || paths.test(text)
  })
  assertNone(wrong, 'another machine has other hosts and folders')
})

test('locks packages without the addresses they came from', () => {
  const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, { resolved?: string }> }
  assertNone(
    Object.entries(lock.packages)
      .filter(([, { resolved }]) => resolved !== undefined)
      .map(([name]) => name),
    'no "resolved" in package-lock.json',
  )
  assert.match(read('.npmrc'), /^omit-lockfile-registry-resolved=true$/m)
})

test('pins every package to one version', () => {
  const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
  const loose = ['dependencies', 'optionalDependencies', 'devDependencies'].flatMap((kind) =>
    Object.entries(manifest[kind] ?? {}).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)),
  )
  assertNone(
    loose.map(([name, version]) => `${name} ${version}`),
    'an exact version each',
  )
})

test('mirrors services in test/unit: every unit test has the file that it tests', () => {
  // test/unit/infra tests what stands in infra/, which is no TypeScript; test/unit/bench tests the bench.
  const tested = (file: string) =>
    file
      .replace(/^test\/unit\//, file.startsWith('test/unit/bench/') ? 'test/' : 'services/')
      .replace(/\.test\.ts$/, '.ts')
  const orphans = tests
    .filter(
      (file) => file.startsWith('test/unit/') && file.endsWith('.test.ts') && !file.startsWith('test/unit/infra/'),
    )
    .filter((file) => !existsSync(join(root, tested(file))))
  assertNone(orphans, 'test/unit/x/y.test.ts tests services/x/y.ts')
})

test('skips no test without a reason and singles none out', () => {
  const silent = new RegExp(['\\btest\\.(only|sk' + 'ip|to' + 'do)\\(', 'sk' + 'ip: true', 'on' + 'ly: true'].join('|'))
  assertNone(
    tests.filter((file) => silent.test(read(file))),
    'a skip says its reason',
  )
})
