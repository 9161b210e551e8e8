import type { EventEncoder } from '../../shared/io/avro.ts'
import { deviceActivations } from '../../shared/domain/device-activations.ts'
import { ecosystemOrders } from '../../shared/domain/ecosystem-orders.ts'
import { experimentArms } from '../../shared/domain/experiment-arms.ts'
import { uuidV7 } from '../random.ts'
import type { RequestWriter } from '../request.ts'
import { dayMs } from '../traffic.ts'
import { loadEncoders, loadRecordEncoder } from '../writer-schemas.ts'
import { ecosystemRandom } from './draws.ts'
import type { EcosystemSettings } from './facts.ts'
import type { ArmRow, DeviceRow } from './household.ts'
import type { Order } from './orders.ts'
import { ecosystemStreams, type EcosystemEvent } from './population.ts'
import { writeRequest } from './requests.ts'

/** Encodes what happened as Kafka values, each under the schema of its stream. Same seed, same bytes. */
export function createEventWriter(options: { seed: number; settings: EcosystemSettings; writer: RequestWriter }) {
  const { seed } = options
  const requests: EventEncoder = loadEncoders()[2]
  const orders = loadRecordEncoder<Identity & Order>(ecosystemOrders.subject)
  const devices = loadRecordEncoder<Identity & DeviceFields>(deviceActivations.subject)
  const arms = loadRecordEncoder<Identity & ArmRow>(experimentArms.subject)

  return function write(event: EcosystemEvent): Buffer {
    const { member, stream, row } = event
    const { index } = member.profile
    if (stream === 'assistant-intents') {
      const device = member.deviceKeys[row.device.place]!
      return requests.encode(writeRequest(row, { ...options, profile: member.profile, household: member.key, device }))
    }
    const random = ecosystemRandom(seed, 'eventId', ecosystemStreams.indexOf(stream), index, row.place)
    const identity = { eventId: uuidV7(row.occurredAt, random), household: member.key }
    switch (stream) {
      case 'ecosystem-orders':
        return orders.encode({ ...identity, ...row })
      case 'device-activations':
        return devices.encode({ ...identity, ...deviceFields(row), device: member.deviceKeys[row.device.place]! })
      case 'experiment-arms':
        return arms.encode({ ...identity, ...row })
    }
  }
}

interface Identity {
  readonly eventId: Buffer
  readonly household: Buffer
}
type DeviceFields = ReturnType<typeof deviceFields> & { readonly device: Buffer }

function deviceFields({ device, occurredAt, returned }: DeviceRow) {
  return {
    ...{ occurredAt, returned, product: device.product, deviceModel: device.model, country: 'US', currency: 'USD' },
    activatedOn: Math.floor(device.activatedAt / dayMs),
    pricePaidMicros: device.priceMicros,
    costOfGoodsMicros: device.costMicros,
  }
}
