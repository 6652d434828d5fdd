// Fetches her screen once a second and shows it when it changed; scrolled to the end unless she reads further up.
const screen_ = document.getElementById("screen");
const end = () => { screen_.scrollTop = screen_.scrollHeight; };
let shown = null;
async function look() {
  try {
    const answer = await fetch(screen_.dataset.from);
    const html = await answer.text();
    if (answer.ok && html !== shown) {
      const atEnd = screen_.scrollHeight - screen_.scrollTop - screen_.clientHeight < 40;
      if (shown !== null) screen_.innerHTML = html;
      shown = html;
      if (atEnd) end();
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;  // the simulator is away: ask again
  }
  setTimeout(look, 1000);
}
end();
look();
