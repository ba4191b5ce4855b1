// Lints infra/openapi.json by the rules that Redocly recommends: node lint.mjs <openapi.json> [<rule not asked for> …]

import { createConfig, lint } from "@redocly/openapi-core";

const [ref, ...off] = process.argv.slice(2);
const rules = Object.fromEntries(off.map((rule) => [rule, "off"]));
const config = await createConfig({ extends: ["recommended"], rules });
const problems = await lint({ ref, config });
for (const { ruleId, severity, message, location } of problems) {
  console.log(`${severity} ${ruleId} ${location[0]?.pointer}: ${message}`);
}
process.exitCode = problems.length ? 1 : 0;
