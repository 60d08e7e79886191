// The sounds of a decision, made here: two rising tones, one low one, one in between.
let context = null;

// wake makes the sounds possible: a browser allows them once somebody has touched the
// page, or where the kiosk's settings do.
export const wake = () => {
  context ||= new AudioContext();
  if (context.state === "suspended") context.resume().catch(() => {});
};

const tone = (hertz, from, lasts, shape) => {
  const oscillator = context.createOscillator(), gain = context.createGain();
  oscillator.type = shape;
  oscillator.frequency.value = hertz;
  gain.gain.setValueAtTime(0, context.currentTime + from);
  gain.gain.linearRampToValueAtTime(0.25, context.currentTime + from + 0.015);
  gain.gain.linearRampToValueAtTime(0, context.currentTime + from + lasts);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(context.currentTime + from);
  oscillator.stop(context.currentTime + from + lasts);
};

const sounds = {
  granted: () => { tone(660, 0, 0.14, "sine"); tone(990, 0.14, 0.22, "sine"); },
  denied: () => { tone(220, 0, 0.18, "triangle"); tone(165, 0.2, 0.32, "triangle"); },
  more: () => tone(520, 0, 0.16, "sine"),
};

// play is silent where sounds are not possible: every answer is written, too.
export const play = (what) => {
  try {
    wake();
    if (context.state === "running") sounds[what]();
  } catch {
    // a tablet without a loudspeaker
  }
};
