// Runs a Python program under Pyodide, which is CPython compiled to WebAssembly: node pyodide_run.mjs PROGRAM CONFIG
// CONFIG is JSON; its `folders` maps each folder that the program sees to one of this machine. The program's last
// value is printed as the last line.
import { readFileSync } from "node:fs";
import { loadPyodide } from "pyodide";

const [program, config] = process.argv.slice(2);
const pyodide = await loadPyodide();
for (const [seen, folder] of Object.entries(JSON.parse(config).folders)) {
  pyodide.mountNodeFS(seen, folder);
}
pyodide.globals.set("CONFIG", config);
try {
  console.log(`\n${pyodide.runPython(readFileSync(program, "utf8"))}`);
} catch (error) {
  console.error(error.message); // Node.js would add all of Pyodide's source
  process.exitCode = 1;
}
