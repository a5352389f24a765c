// What is heard, for whoever switched it on. Everything that is heard stands on the screen too.

import type { SwarmEvent } from "../api/types";
import { line } from "../lib/text";
import { isQuiet, prefs } from "../lib/prefs";

export interface Heard {
  sound?: "complete" | "alert";
  /** What is said. */
  text?: string;
}

/** What of an event is worth hearing. */
export function heard(event: SwarmEvent): Heard | undefined {
  if (event.event_type === "status_update") {
    const agent = line(event.agent, 60);
    if (event.event === "completed") return { sound: "complete", text: `${agent} completed ${event.task_id ? "task" : "its work"}` };
    if (event.event === "failed") return { sound: "alert", text: `${agent} failed` };
    return undefined;
  }
  if (event.event_type === "alert" && event.severity !== "info") {
    return { sound: "alert", text: `${event.severity}: ${line(event.service_name, 60)}, ${event.alert_type.replaceAll("_", " ")}` };
  }
  return undefined;
}

/** Two sounds within this time are one. */
const APART_MS = 400;
let audio: AudioContext | undefined;
let last = -Infinity;

export function hear(event: SwarmEvent): void {
  const { sounds, narration, quiet } = prefs();
  if ((!sounds && !narration) || isQuiet(quiet, new Date().getHours())) return;
  const what = heard(event);
  if (!what) return;
  if (sounds && what.sound && performance.now() - last > APART_MS) {
    last = performance.now();
    play(what.sound);
  }
  // A voice that lags behind tells of the past: it skips rather than queue up.
  if (narration && what.text && !speechSynthesis.pending) speechSynthesis.speak(new SpeechSynthesisUtterance(what.text));
}

/** `complete` rises, `alert` falls. */
export function play(sound: "complete" | "alert"): void {
  audio ??= new AudioContext();
  void audio.resume();
  const tones = sound === "complete" ? [523, 784] : [440, 330, 440, 330];
  tones.forEach((hertz, index) => tone(audio as AudioContext, hertz, index * 0.14));
}

function tone(context: AudioContext, hertz: number, after_s: number): void {
  const [start, end] = [context.currentTime + after_s, context.currentTime + after_s + 0.13];
  const oscillator = context.createOscillator();
  const volume = context.createGain();
  oscillator.frequency.value = hertz;
  volume.gain.setValueAtTime(0, start);
  volume.gain.linearRampToValueAtTime(0.12, start + 0.02);
  volume.gain.linearRampToValueAtTime(0, end);
  oscillator.connect(volume).connect(context.destination);
  oscillator.start(start);
  oscillator.stop(end);
}
