// Photos are made small before they are sent, and shown; without this the form sends them as they are.

const SIDE = 1600;
const form = document.querySelector(".claiming");
const input = form?.elements.photos;
const shots = form?.querySelector("[data-shots]");
let busy = null;

if (input) {
  input.addEventListener("change", () => {
    const taking = take([...input.files]).finally(() => {
      if (busy === taking) busy = null;
    });
    busy = taking;
  });

  // Sent before the last photo is small: it waits, and then goes.
  form.addEventListener("submit", async (event) => {
    if (!busy) return;
    event.preventDefault();
    event.stopPropagation();
    const button = event.submitter;
    while (busy) await busy;
    form.requestSubmit(button);
  });

  // As many packs as there are of the goods that were chosen.
  form.addEventListener("change", (event) => {
    if (event.target.name === "line") form.elements.packs.max = event.target.dataset.most;
  });
}

async function take(files) {
  const most = Number(shots.dataset.most);
  const small = [];
  shots.replaceChildren();
  for (const file of files.slice(0, most)) {
    const [shrunk, preview] = await shrink(file);
    small.push(shrunk);
    if (preview) show(preview, small.length);
  }
  if (files.length > most) say(shots.dataset.tooMany);
  const sent = new DataTransfer();
  for (const file of small) sent.items.add(file);
  input.files = sent.files;
}

// The photo as a JPEG, and a small one to show; what the browser cannot read goes as it is.
async function shrink(file) {
  try {
    const picture = await createImageBitmap(file);
    const full = drawn(picture, SIDE);
    const blob = await new Promise((done) => full.toBlob(done, "image/jpeg", 0.85));
    const preview = drawn(picture, 152).toDataURL("image/jpeg", 0.8);
    return [new File([blob], "photo.jpg", { type: "image/jpeg" }), preview];
  } catch {
    return [file, null];
  }
}

function drawn(picture, side) {
  const scale = Math.min(1, side / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  const brush = canvas.getContext("2d");
  brush.fillStyle = "white";
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function show(preview, number) {
  const shot = document.createElement("li");
  const image = new Image();
  image.src = preview;
  image.alt = `${number}`;
  shot.append(image);
  shots.append(shot);
}

function say(text) {
  const item = document.createElement("li");
  const said = document.createElement("p");
  said.className = "wrong";
  said.textContent = text;
  item.append(said);
  shots.append(item);
}
