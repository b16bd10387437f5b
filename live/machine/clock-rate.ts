/**
 * Measures a core's clock rate under load, Hz: a chain of steps, each of which needs the one before, takes two cycles a step
 * (an exclusive or, and an addition) on every processor of the last twenty years. Virtual machines often do not tell.
 */
export function measureClockHz(now: () => number = () => performance.now()): number {
  const steps = 100_000;
  let best = 0;
  for (let i = 0; i < 10; i++) chain(steps);
  // The fastest of many short ones: whatever comes in between only slows it down.
  for (let i = 0; i < 60; i++) {
    const start = now();
    chain(steps);
    best = Math.max(best, 2 * 8 * steps * 1_000 / (now() - start));
  }
  return Math.round(best);
}

let kept = 0;

function chain(steps: number): void {
  let x = kept;
  const a = (kept & 3) | 0x55;
  const b = (kept & 5) | 0x33;
  for (let i = 0; i < steps; i++) {
    x = ((x ^ a) + b) | 0;
    x = ((x ^ a) + b) | 0;
    x = ((x ^ a) + b) | 0;
    x = ((x ^ a) + b) | 0;
    x = ((x ^ a) + b) | 0;
    x = ((x ^ a) + b) | 0;
    x = ((x ^ a) + b) | 0;
    x = ((x ^ a) + b) | 0;
  }
  kept = x;
}
