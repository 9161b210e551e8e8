import { createServer } from 'node:net'
import { randomInt } from 'node:crypto'

/**
 * Below the range from which Linux takes the ports of outgoing connections (32768 and up): a port that is free now would else be
 * taken by any client before the server, seconds later, listens on it.
 */
const portMin = 20_000
const portMax = 32_000
const attemptsMax = 200

/** A free TCP port on loopback: the preferred one if it is free. Adds it to `taken`, and avoids what is in there. */
export async function choosePort(options: { preferred?: number | undefined; taken: Set<number> }): Promise<number> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const candidate = attempt === 0 && options.preferred !== undefined ? options.preferred : randomInt(portMin, portMax)
    if (!options.taken.has(candidate) && (await isFree(candidate))) {
      options.taken.add(candidate)
      return candidate
    }
  }
  throw new Error(`no free port between ${portMin} and ${portMax} in ${attemptsMax} attempts`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
