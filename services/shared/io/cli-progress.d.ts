/** cli-progress ships no types; this is the part of it that we use. */
declare module 'cli-progress' {
  export class SingleBar {
    constructor(options: {
      format: string
      stream: NodeJS.WritableStream
      hideCursor?: boolean
      clearOnComplete?: boolean
      fps?: number
    })
    start(total: number, startValue: number, payload?: object): void
    update(current: number, payload?: object): void
    stop(): void
  }
}
