import { expect, test } from "vitest";
import { prove } from "./check";

// A record as a gateway wrote it into its journal.
const RECORD =
  '{"run_id":"gw-2026-11-26-13-59-20-151472","route":"/v1/messages","dialect":{"in":"anthropic.messages"},"target_request":{"type":"model","model":"scripted-1"},"policy":{"name":"balanced","version":"6314d7cf9cfd0566"},"snapshot":{"registry":{"epoch":60011934541,"index":60},"matrix":"30eb47bf7636e589","age_ms":1233},"timings_ms":{"discovery":0.074,"upstream":0,"overhead":0.47,"total":0.47},"cost_estimate":{"usd":0.0,"state":"confirmed","price_version":"815d34c6becf4b9e"},"status":"refused","error":{"code":"no_candidate","message":"nobody knows `scripted-1`: it is no route, no model, no alias, and no service that is registered; GET /v1/models lists what can be asked for"},"ts":"2026-11-26T13:59:20.151Z","seq":13,"prev":"981ae9412a9db765d4cc8585d10e2e7ae3d44649c60ddb16cf06594b5d4155bc","hash":"5126d975b53417243eeef0eed196e70b3a812468f53a68006c569f31cb57d835"}';

test("a record fits its hash as long as nothing of it is changed", async () => {
  expect(await prove(RECORD)).toBe("fits");
  expect(await prove(RECORD.replace('"status":"refused"', '"status":"ok"'))).toBe("differs");
  expect(await prove(RECORD.replace('"usd":0.0', '"usd":0'))).toBe("differs");
});

test("a record without a hash proves nothing", async () => {
  expect(await prove('{"run_id":"gw-1"}')).toBe("none");
});
