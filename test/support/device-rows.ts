import type { ViewsCase } from './views-case.ts'

/** A device as `device_activations` has it; with `back`, the row of its return stands there, too. */
export interface DeviceRow {
  readonly device: number
  readonly household: number
  readonly product: string
  readonly since: string
  readonly back?: string | undefined
  readonly price?: number
  readonly cost?: number
  readonly currency?: string
}

/** Puts devices straight into the table, in the order given. */
export function insertDevices({ pipeline, database }: ViewsCase, devices: readonly DeviceRow[]): Promise<void> {
  const rows = devices.flatMap(({ device, household, product, since, back, price = 0, cost = 0, currency = 'USD' }) => {
    const row = {
      ...{ device, household, product, currency, country: 'US', activated_on: since },
      ...{ price_paid_micros: price, cost_of_goods_micros: cost },
    }
    const activated = { ...row, occurred_at: `${since} 12:00:00`, returned: false }
    return back === undefined ? [activated] : [{ ...row, occurred_at: `${back} 12:00:00`, returned: true }, activated]
  })
  return pipeline.insert(
    `INSERT INTO ${database}.device_activations FORMAT JSONEachRow`,
    [Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))],
    { params: {}, settings: {} },
  )
}
