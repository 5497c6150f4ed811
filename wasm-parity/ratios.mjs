// How long each kernel takes in WebAssembly, over how long it takes natively:
// both in turns, the best of five on either side.
//
//     cargo xtask test --part parity
//     node wasm-parity/ratios.mjs target

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const target = resolve(process.argv[2] ?? "target");
const wasm = createRequire(import.meta.url)(`${target}/wasm-tests/wasm-parity/wasm-parity.js`);

function native(kernel, rounds) {
  const { status, stdout } = spawnSync(`${target}/release/wasm-parity`, ["work", kernel, String(rounds)]);
  if (status !== 0) throw new Error(`the native program left with ${status}`);
  const [seconds, result] = String(stdout).trim().split(" ");
  return [Number(seconds), Number(result)];
}

function web(kernel, rounds) {
  const start = performance.now();
  const result = wasm.work(kernel, rounds);
  return [(performance.now() - start) / 1000, result];
}

for (const kernel of wasm.kernels()) {
  let rounds = 1;
  while (native(kernel, rounds)[0] < 0.2) rounds *= 2;
  const best = [Infinity, Infinity];
  for (let turn = 0; turn < 5; turn += 1) {
    const turns = [native(kernel, rounds), web(kernel, rounds)];
    if (turns[0][1] !== turns[1][1]) throw new Error(`${kernel}: the results differ`);
    turns.forEach(([seconds], side) => (best[side] = Math.min(best[side], seconds)));
  }
  const micros = ((best[0] / rounds) * 1e6).toFixed(1);
  console.log(`${(best[1] / best[0]).toFixed(2)}x  ${kernel} (${micros} µs natively)`);
}
