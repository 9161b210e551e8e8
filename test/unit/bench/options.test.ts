import assert from 'node:assert/strict'
import { test } from 'node:test'

import { contenderNames } from '../../bench/contender.ts'
import { help, readCounts, readOptions, type BenchOptions } from '../../bench/options.ts'

function read(...args: string[]): BenchOptions {
  const options = readOptions(args)
  assert.ok(typeof options === 'object')
  return options
}

test('a run as it stands takes all contenders and is kept', () => {
  const { only, rounds, save } = read()
  assert.deepEqual(only, contenderNames)
  assert.ok(rounds >= 5)
  assert.equal(save, true)
})

for (const [name, args] of [
  ['a small one', ['--quick']],
  ['one of fewer events', ['--events', '1999999']],
  ['one of some contenders', ['--only', 'ours,plain']],
  ['one of another topic', ['--malformed', '0']],
  ['one that is profiled', ['--profile', 'folder']],
  ['one that is not to be kept', ['--no-save']],
] as const) {
  test(`keeps no run but a whole one: not ${name}`, () => assert.equal(read(...args).save, false))
}

test('takes contenders once and in their own order', () => {
  assert.deepEqual(read('--only', 'plain, ours,plain').only, ['ours', 'plain'])
})

test('a quick run lets itself be told the events', () => {
  assert.equal(read('--quick', '--events', '5000').events, 5_000)
})

test('refuses what it does not know with one sentence', () => {
  assert.throws(() => readOptions(['--only', 'ours,theirs']), /^PipelineError: bench: --only[^\n]*engine-avro/)
  assert.throws(() => readOptions(['--evnets', '5']), /^PipelineError: bench: [^\n]*--evnets/)
  assert.throws(() => readOptions(['--events', '0']), /--events/)
})

test('help names every contender', () => {
  assert.equal(readOptions(['--quick', '--help']), 'help')
  assert.deepEqual(
    contenderNames.filter((name) => !help.includes(name)),
    [],
  )
})

test('another bench takes whole numbers within bounds, and its standards', () => {
  const bounds = { rate: [1, 10, 5], seconds: [6, 60, 30] } as const
  assert.deepEqual(readCounts(['--rate', '7'], bounds), { rate: 7, seconds: 30 })
  assert.equal(readCounts(['--help'], bounds), undefined)
  assert.throws(() => readCounts(['--rate', '11'], bounds), /--rate/)
  assert.throws(() => readCounts(['--events', '7'], bounds), /--events/)
})
