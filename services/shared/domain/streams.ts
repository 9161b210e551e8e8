import { assistantIntents } from './assistant-intents.ts'
import { deviceActivations } from './device-activations.ts'
import { ecosystemOrders } from './ecosystem-orders.ts'
import { experimentArms } from './experiment-arms.ts'
import type { StreamDefinition } from './stream.ts'

/** Every stream there is. The first is what verbs work on that are not told another. */
export const streams: readonly StreamDefinition[] = [
  assistantIntents,
  ecosystemOrders,
  deviceActivations,
  experimentArms,
]

export const streamNames: readonly string[] = streams.map(({ name }) => name)
