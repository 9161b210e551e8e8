/**
 * The logarithm of the gamma function, for x above 0: Stirling's series (Abramowitz & Stegun 6.1.41) from 10 on, and the
 * recurrence down to it; error below 1e-13.
 */
export function logGamma(x: number): number {
  let product = 1
  let z = x
  for (; z < 10; z++) product *= z
  const w = 1 / (z * z)
  const series = (1 / 12 - w * (1 / 360 - w * (1 / 1260 - w * (1 / 1680 - w * (1 / 1188))))) / z
  return (z - 0.5) * Math.log(z) - z + Math.log(2 * Math.PI) / 2 + series - Math.log(product)
}
