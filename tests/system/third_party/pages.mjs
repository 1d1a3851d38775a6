// The pages of auth without a browser: keeps cookies, reads forms, presses buttons.

import assert from "node:assert/strict";

const unescape = (text) =>
  text.replaceAll("&#34;", '"').replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

const attribute = (tag, name) => unescape(new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? "");

export class Browser {
  cookies = new Map();

  async ask(url, options = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { ...options.headers, ...(cookie && { cookie }) };
    const response = await fetch(url, { ...options, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      this.cookies.set(name, value);
    }
    return { url: new URL(url), response, html: await response.text() };
  }

  async press(page, step, typed = {}) {
    const form = page.html.match(/<form[^]*?<\/form>/g)?.find((text) => text.includes(`value="${step}"`));
    assert(form, `no button "${step}" on the page: ${page.response.status} ${page.html.slice(0, 2000)}`);
    const fields = new URLSearchParams({ step });
    for (const input of form.match(/<input[^>]*>/g) ?? []) fields.set(attribute(input, "name"), attribute(input, "value"));
    for (const [name, value] of Object.entries(typed)) fields.set(name, value);
    const action = new URL(attribute(form, "action"), page.url);
    return this.ask(action, { method: "POST", body: fields, headers: { origin: action.origin } });
  }

  follow(page) {
    assert.equal(page.response.status, 303, page.html);
    return this.ask(new URL(page.response.headers.get("location"), page.url));
  }

  // Logs in, allows what the client asks for, and answers the address that the client is called back at.
  async allow(authorizationUrl, user) {
    const login = await this.ask(authorizationUrl);
    const consent = await this.follow(await this.press(login, "log_in", user));
    const answer = await this.press(consent, "allow");
    assert.equal(answer.response.status, 303, answer.html);
    return new URL(answer.response.headers.get("location"));
  }

  // What the user of a device does at another machine, at the address that the device shows.
  async allowDevice(verificationUri, user) {
    const login = await this.ask(verificationUri);
    const code = await this.follow(await this.press(login, "log_in", user));
    const consent = await this.press(code, "find");
    assert.equal((await this.press(consent, "allow")).response.status, 200);
  }
}
