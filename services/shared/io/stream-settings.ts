import { defaultFateSettings, type FateSettings } from '../domain/fate.ts'
import type { StreamDefinition } from '../domain/stream.ts'
import { streams } from '../domain/streams.ts'
import type { Settings } from './settings.ts'

/** What says which stream is meant, and where it is. */
export const streamVariables = ['STREAM', 'KAFKA_TOPIC', 'KAFKA_GROUP', 'KAFKA_TOPIC_PREFIX'] as const

export interface ChosenStream {
  readonly stream: StreamDefinition
  readonly topic: string
  readonly group: string
}

/** The stream that is meant; `KAFKA_TOPIC` and `KAFKA_GROUP` are of that one alone. `name` is what a flag says. */
export function chosenStream(
  settings: Settings<(typeof streamVariables)[number]>,
  name: string = settings.STREAM,
): ChosenStream {
  const stream = streams.find((one) => one.name === name)!
  const isNamed = name === settings.STREAM
  const prefix = settings.KAFKA_TOPIC_PREFIX
  return {
    stream,
    topic: (isNamed ? settings.KAFKA_TOPIC : undefined) ?? prefix + stream.name,
    group: (isNamed ? settings.KAFKA_GROUP : undefined) ?? prefix + stream.group,
  }
}

/** Every stream with its topic and group. */
export function everyStream(settings: Settings<(typeof streamVariables)[number]>): ChosenStream[] {
  return streams.map(({ name }) => chosenStream(settings, name))
}

/** What decides the fates of a stream's messages. */
export function fateSettingsOf(
  stream: StreamDefinition,
  settings: Settings<'EVENT_BYTES_MAX' | 'EVENT_AGE_MAX_DAYS'> & Partial<Settings<'DUPLICATE_WINDOW_OFFSETS'>>,
): FateSettings {
  const { EVENT_AGE_MAX_DAYS: days, DUPLICATE_WINDOW_OFFSETS: window } = settings
  return {
    ...defaultFateSettings,
    ageMaxMs: days === undefined ? stream.ageMaxMs : days * 86_400_000,
    duplicateWindowOffsets: window ?? defaultFateSettings.duplicateWindowOffsets,
    eventBytesMax: settings.EVENT_BYTES_MAX,
  }
}
