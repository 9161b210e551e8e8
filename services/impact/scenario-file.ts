import { basename } from 'node:path'

import { readYamlFile, type FieldMistake } from '../shared/io/yaml-file.ts'
import { readForm } from './form.ts'
import type { Scenario, TakeUp } from './scenario.ts'
import { scenarioForm, type ScenarioForm } from './scenario-schema.ts'

/** Reads and checks a scenario. Throws one mistake that lists all, one a line, each with file, line, field and what to do. */
export function loadScenario(path: string): Scenario {
  return parseScenario(readYamlFile(path, 'a file of a scenario'), basename(path))
}

/** The same of a text; `file` is how mistakes name it. */
export function parseScenario(text: string, file: string): Scenario {
  return scenarioOf(readForm({ text, file }, scenarioForm, contradictionsOf))
}

function contradictionsOf(form: ScenarioForm): FieldMistake[] {
  return [...cohortFaults(form.retention), ...currencyFaults(form)]
}

function cohortFaults({ alive, customers }: ScenarioForm['retention']): FieldMistake[] {
  const path = (item: number) => ['retention', 'alive', item]
  const faults = alive.flatMap((count, month): FieldMistake[] => {
    const before = alive[month - 1]
    return before === undefined || count <= before
      ? []
      : [
          {
            path: path(month),
            says: `is ${count} after ${before}; customers of one cohort never become more, so mend it`,
          },
        ]
  })
  const first = alive[0]!
  if (first !== 100 && first !== customers) {
    const counts = Number.isInteger(first) && first > 0 ? `, or customers: ${first} for counts` : ''
    faults.unshift({ path: path(0), says: `is ${first}; month 0 is everybody, so write 100 for per cent${counts}` })
  }
  return faults
}

/** Nothing here converts, so sums of two currencies would be added as if they were one. */
function currencyFaults({ price, prime, costToServe, fixedPerYear }: ScenarioForm): FieldMistake[] {
  const others: [path: string[], currency: string][] = [
    [['costToServe', 'perRequest'], costToServe.perRequest.currency],
    [['fixedPerYear'], fixedPerYear.currency],
    ...(prime === undefined ? [] : [[['prime', 'fee'], prime.fee.currency] satisfies [string[], string]]),
  ]
  return others
    .filter(([, currency]) => currency !== price.currency)
    .map(([path, currency]) => ({
      path,
      says: `is in ${currency} and price in ${price.currency}; write all amounts in one currency`,
    }))
}

function scenarioOf(form: ScenarioForm): Scenario {
  const { name, assumptions, horizonMonths, discountPerYear, households, trialMonths, retention, prime } = form
  return {
    ...{ name, assumptions, horizonMonths, discountPerYear, households, trialMonths },
    currency: form.price.currency,
    priceMicros: form.price.micros,
    takeUp: takeUpOf(form.takeUp),
    prime:
      prime === undefined
        ? null
        : {
            share: prime.share,
            takeUp: takeUpOf(prime.takeUp),
            feeMicros: prime.fee.micros,
            margin: prime.margin,
          },
    retention: { alive: retention.alive, customers: retention.customers ?? null },
    requestsPerMonth: form.costToServe.requestsPerMonth,
    perRequestMicros: form.costToServe.perRequest.micros,
    fixedPerYearMicros: form.fixedPerYear.micros,
  }
}

function takeUpOf({ once, monthly }: ScenarioForm['takeUp']): TakeUp {
  return once === undefined ? { kind: 'monthly', share: monthly! } : { kind: 'once', share: once }
}
