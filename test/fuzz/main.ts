/** Fuzzes the walker with avro-js as the judge. `npm run fuzz -- --help`. */
import { PipelineError } from '../../services/shared/domain/faults.ts'
import type { FuzzCount, FuzzFailure } from './fuzz.ts'
import { help, readOptions, type FuzzOptions } from './options.ts'
import { watchedFuzz } from './watched-fuzz.ts'

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) {
    process.stdout.write(help)
    return
  }
  const startedMs = performance.now()
  let saidMs = startedMs
  const { count, failure } = await watchedFuzz(options, (bodies) => {
    if (performance.now() - saidMs > 10_000) {
      saidMs = performance.now()
      process.stderr.write(`${bodies} of ${options.bodies} bodies\n`)
    }
  })
  if (count !== undefined) {
    process.stdout.write(renderCount(options, count, (performance.now() - startedMs) / 1_000))
  }
  if (failure !== undefined) {
    process.stdout.write(renderFailure(failure))
    process.exitCode = 1
  }
}

function renderCount({ seed }: FuzzOptions, count: FuzzCount, seconds: number): string {
  const of = (numbers: Record<string, number>) =>
    Object.entries(numbers)
      .map(([name, number]) => `${name} ${number}`)
      .join(', ')
  const bodies = count.accepted + count.refused
  const differing = Object.values(count.differences).reduce((sum, number) => sum + number, 0)
  return [
    `seed ${seed}: ${bodies} bodies of ${count.schemas} schemas: ${of(count.bodies)}`,
    `accepted ${count.accepted}, refused ${count.refused}`,
    `verdicts agreed ${bodies - differing}; known differences ${differing}: ${of(count.differences)}`,
    `${seconds.toFixed(1)} s`,
    '',
  ].join('\n')
}

function renderFailure(failure: FuzzFailure): string {
  return [
    `DISAGREEMENT at body ${failure.index} of seed ${failure.seed} (${failure.kind}): ${failure.what}`,
    `walker:   ${failure.walker}`,
    `avro-js:  ${failure.avroJs}`,
    `schema:   ${JSON.stringify(failure.schema)}`,
    `captures: ${failure.captures.join(' ')}`,
    `body:     ${failure.hex}`,
    `again:    npm run fuzz -- --seed ${failure.seed} --bodies ${failure.index + 1}`,
    '',
  ].join('\n')
}

try {
  await main()
} catch (thrown) {
  const isFault = thrown instanceof PipelineError
  process.stderr.write(`${isFault ? thrown.message : String((thrown as Error).stack)}\n`)
  process.exitCode = isFault && thrown.code === 'usage_invalid' ? 2 : 1
}
