// Calls functions of one module: reads [[name, arguments], …] and prints what each returns.

import { readFileSync } from "node:fs";

const module = await import(process.argv[2]);
const plain = (_, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
const calls = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(
  JSON.stringify(
    calls.map(([name, args]) => module[name](...args)),
    plain,
  ),
);
