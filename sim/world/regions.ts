/** The region of the i-th of `count` members, dealt so that each region gets its share. */
export function regionAt(regions: readonly { readonly region: string; readonly share: number }[], index: number, count: number): string {
  let upTo = 0;
  for (const { region, share } of regions) {
    upTo += share;
    if (index + 0.5 < upTo * count + 1e-9) return region;
  }
  return regions[regions.length - 1]!.region;
}
