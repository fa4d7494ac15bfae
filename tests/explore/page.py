"""What the browser tests of explorables do with a page."""

from __future__ import annotations

import json
from importlib.resources import files

from lstm_lab.explore import EXPLORABLES, Explorable, Quiz

PICTURE = """() => [...document.querySelectorAll('[role=img]')]
  .filter((node) => node.getBoundingClientRect().width)
  .map((node) => node.tagName === 'CANVAS' ? node.toDataURL()
    : node.innerHTML.replace(/ll-\\w+-\\d+-\\w+/g, '')).join('')"""


def state(page, number=0):
    """The state of the model of the page's widget."""
    return json.loads(page.evaluate(f"JSON.stringify(models[{number}].state)"))


def picture(page):
    """All that is drawn and to be seen, to be compared."""
    return page.evaluate(PICTURE)


def words(page):
    """All that is written: text, and names of what is drawn or operated."""
    return page.locator(".lstm-lab-explorer").evaluate_all("""all => all.flatMap((root) =>
        [root.innerText, ...[...root.querySelectorAll('svg')].map((node) => node.innerHTML),
         ...[...root.querySelectorAll('[aria-label]')].map((node) => node.ariaLabel)]).join(' ')""")


def go(page, path):
    """Shows a level at once, its transition over."""
    page.evaluate("path => models.forEach((model) => model.set('path', path))", path)
    page.evaluate("""() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => {
      document.getAnimations().forEach((each) => each.finish());
      requestAnimationFrame(() => setTimeout(done));
    })))""")


def summary(page):
    """What is said in words, once the hand has come to rest."""
    page.wait_for_timeout(250)
    return page.locator("[data-role=summary]").first.inner_text()


def drag(page, name, pixels):
    """Press a slider's thumb and pull it so many pixels along."""
    slider = page.locator(f"input[type=range][data-name={name}]").first
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    low, high, value = (float(slider.evaluate(f"n => n.{k}")) for k in ("min", "max", "value"))
    x = box["x"] + 8 + (value - low) / (high - low) * (box["width"] - 16)
    y = box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + pixels, y, steps=8)
    page.mouse.up()


def copy_of(case, page):
    """The same explorable in Python, at the setting that the page is at."""
    now = state(page)
    return case.new(**{name: now[name] for name in case.kind.controls()})


def load_axe(page):
    """Bring axe-core into the page, so that `axe_findings` can ask it."""
    source = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    page.add_script_tag(content=source)


def axe_findings(page):
    """The serious and critical findings of axe-core: rule -> (impact, where)."""
    answer = page.evaluate("axe.run('.lstm-lab-explorer', {resultTypes: ['violations']})")
    return {
        rule["id"]: (rule["impact"], [node["html"][:200] for node in rule["nodes"]])
        for rule in answer["violations"]
        if rule["impact"] in ("serious", "critical")
    }


_LOOKS = """() => {
  const looks = ['color', 'background-color', 'background-image', 'border-width', 'border-color',
    'border-radius', 'padding', 'margin', 'font', 'display', 'position', 'opacity', 'fill',
    'stroke', 'width', 'height', 'line-height', 'overflow', 'gap', 'text-align', 'white-space'];
  return [...document.querySelectorAll('.lstm-lab-explorer *')].map((node) => {
    const style = getComputedStyle(node);
    return [`${node.tagName} ${node.getAttribute('class')}`,
      looks.map((name) => `${name}: ${style.getPropertyValue(name)}`).join('; ')];
  });
}"""


def changed_by_company(page):
    """What looks otherwise once the styles of all explorables are on the page.

    JupyterLab adds the styles of each class when one of it is first shown, in any order; the
    frame's own come with each of them.
    """
    before = page.evaluate(_LOOKS)
    page.add_style_tag(content="\n".join(str(kind._css) for kind in [*EXPLORABLES, Quiz]))
    page.add_style_tag(content=str(Explorable._css))
    page.wait_for_timeout(200)
    after = page.evaluate(_LOOKS)
    assert [name for name, _ in after] == [name for name, _ in before]
    return {name for (name, old), (_, new) in zip(before, after, strict=True) if old != new}


_WATCH = """() => {
  const pen = CanvasRenderingContext2D.prototype, { clearRect, fillText } = pen;
  pen.clearRect = function (...box) {
    this.canvas.words = [];
    return clearRect.apply(this, box);
  };
  pen.fillText = function (text, x, y, ...rest) {
    const size = this.measureText(text), { a, b, d, e, f } = this.getTransform();
    if (!b && text.trim()) (this.canvas.words ??= []).push({ text,
      left: a * (x - size.actualBoundingBoxLeft) + e,
      right: a * (x + size.actualBoundingBoxRight) + e,
      top: d * (y - size.actualBoundingBoxAscent) + f,
      bottom: d * (y + size.actualBoundingBoxDescent) + f });
    return fillText.call(this, text, x, y, ...rest);
  };
}"""

_CROWDED = """() => [...document.querySelectorAll('canvas')].flatMap((canvas) => {
  const words = canvas.words ?? [], out = [];
  words.forEach((one, k) => {
    if (one.left < -1 || one.right > canvas.width + 1 || one.top < -1
      || one.bottom > canvas.height + 1) out.push(`${one.text} leaves the picture`);
    // A letter and its index, drawn right after it, belong together.
    for (const other of words.slice(k + (one.text.length === 1 ? 2 : 1))) {
      const again = one.text === other.text && Math.abs(one.left - other.left) < 1;
      const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      if (wide > 2 && high > 3 && !again) out.push(`${one.text} meets ${other.text}`);
    }
  });
  return out;
})"""


def crowded_words(page, width):
    """Words drawn on a canvas, once the page is so wide, that meet others or leave the picture."""
    page.evaluate(_WATCH)
    page.set_viewport_size({"width": width, "height": 800})
    page.wait_for_timeout(300)
    return page.evaluate(_CROWDED)


def page_of(show, case, **options):
    """A page with the explorable of a case, at its liveliest."""
    return show(case.new(**case.lively), kernel=case.kernel, **options)


def wait_for(condition, page, patience=3000):
    """Until it holds: a kernel answers later than a script."""
    while not condition():
        page.wait_for_timeout(50)
        patience -= 50
        assert patience > 0, "nothing happens"
