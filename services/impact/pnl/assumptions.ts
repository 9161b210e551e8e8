/** What the tables don't say of devices, and somebody has to assume. Sums are in micro-units of one currency. */
export interface DeviceAssumptions {
  /** Sentences of whoever wrote the file. */
  readonly assumptions: readonly string[]
  /** ISO 4217. */
  readonly currency: string
  /** A device counts for so many months from its activation on. */
  readonly horizonMonths: number
  /** 0: a sum counts as much later as now. */
  readonly discountPerYear: number
  /** How many requests of a device one stored event stands for; 1 where all are stored. */
  readonly requestsPerEvent: bigint
  readonly products: readonly ProductAssumptions[]
}

export interface ProductAssumptions {
  readonly product: string
  /** Of each device that is sold. */
  readonly freightMicros: bigint
  /** Of each device that is given back, beside the price that is paid back. */
  readonly returnHandlingMicros: bigint
  /** Of a returned device's cost of goods, the part that is lost, in millionths. */
  readonly returnLossMillionths: bigint
  readonly perRequestMicros: bigint
}
