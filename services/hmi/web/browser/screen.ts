// A real browser that looks at a swarm, and notes everything that a browser complains about.

import { type Browser, type BrowserContext, type BrowserContextOptions, type Page, chromium } from "playwright-core";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
];

// What the browser itself notes when a service is away; the page says so on the screen.
const EXPECTED = [/Failed to load resource/, /Unable to preload CSS/, /dynamically imported module/, /WebSocket connection to .* failed/, /net::ERR_/];

export class Screen {
  /** Errors of the page, and of its content policy. */
  readonly complaints: string[] = [];

  private constructor(
    private readonly browser: Browser,
    readonly context: BrowserContext,
    readonly page: Page,
  ) {
    page.on("pageerror", (error) => this.complaints.push(`error: ${error.message}`));
    page.on("console", (message) => {
      const [type, text] = [message.type(), message.text()];
      if ((type === "error" || type === "warning") && !EXPECTED.some((expected) => expected.test(text))) this.complaints.push(text);
    });
  }

  static async open(url: string, options: BrowserContextOptions = {}): Promise<Screen> {
    const executablePath = process.env.PAS_CHROMIUM ?? "/usr/bin/chromium";
    const browser = await chromium.launch({ executablePath, args: ARGUMENTS });
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    const page = await context.newPage();
    const screen = new Screen(browser, context, page);
    await page.goto(url);
    return screen;
  }

  async close(): Promise<void> {
    await this.browser.close();
  }
}
