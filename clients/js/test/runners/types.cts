// The same for who requires. It is not run.
import { type Issuer, startGatelet } from "gatelet";
import { useGatelet } from "gatelet/jest";

async function typed(): Promise<void> {
  const issuer: Issuer = await useGatelet({ args: [] }).issuer({ seed: 1 });
  const version: string = (await startGatelet()).version;
  console.log(issuer.name, version);
  // @ts-expect-error: a seed is a number
  await useGatelet().issuer({ seed: "1" });
}
void typed;
