"""The report in a real browser, as a reader meets it: on a desktop, on a phone, and printed."""

import base64
import shutil

import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
FIGURES = {
    *(f"{what}-{kind}" for what in ("parity", "histogram", "quantiles") for kind in ("energy", "force", "stress")),
    "force-by-magnitude",
    *("learning-energy-mae", "learning-force-rmse"),
    *("search-landscape", "search-alpha", "search-energy-weight", "search-energy-per"),
    *("dimer-Si-Si", "compression"),
    *("equation-of-state", "elastic", "md-distribution-Si-Si"),
    *(
        f"transferability-{part}"
        for part in (
            "groups-force-rmse",
            "groups-energy-mae",
            "grades-force-rmse",
            "grades-energy-mae",
            "volume-force-rmse",
            "volume-energy-mae",
            "volumes-0",
        )
    ),
    *("md-temperature", "md-potential-energy", "md-grade-1", "md-grade-2"),
}
SIZES = {"desktop": (1280, False), "phone": (390, True)}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Headless Chromium with a profile of its own."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("no chromium and chromedriver on the path: the report was not looked at in a browser")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=Service(executable_path=driver))
    yield opened
    opened.quit()


@pytest.fixture(params=SIZES)
def shown(request, browser, full):
    """The browser with the report at some width."""
    width, mobile = SIZES[request.param]
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": mobile}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(full.path.as_uri())
    assert browser.execute_script("return window.innerWidth") == width
    return browser


def test_nothing_is_complained_of(shown):
    assert shown.get_log("browser") == []
    assert (
        shown.execute_script("return performance.getEntriesByType('resource').filter(e => /^http/.test(e.name))") == []
    )


def test_the_page_is_not_wider_than_the_window(shown):
    wide, window = shown.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= window
    beyond = """
        const edge = document.documentElement.clientWidth + 1;
        return [...document.body.querySelectorAll("*")].filter(
            e => e.getBoundingClientRect().right > edge && !e.closest(".scroll") && !e.closest("pre")
        ).map(e => e.outerHTML.slice(0, 90));
    """
    assert shown.execute_script(beyond) == []
    assert shown.execute_script("return document.querySelectorAll('.scroll, pre').length") > 5


def test_every_figure_is_there(shown):
    pictures = shown.execute_script(
        """
        return [...document.querySelectorAll("figure")].map(f => {
            const i = f.querySelector("img"), box = i.getBoundingClientRect();
            return [f.id, i.complete, i.naturalWidth, i.naturalHeight, box.width, box.height, i.alt.length];
        });
        """
    )
    assert {picture[0] for picture in pictures} == {f"figure-{key}" for key in FIGURES}
    for key, complete, *sizes in pictures:
        assert complete, key
        assert min(sizes) > 30, (key, sizes)
        _, _, width, height, _ = sizes
        assert width / height == pytest.approx(sizes[0] / sizes[1], rel=0.02), key  # not squeezed


def test_letters_in_figures_can_be_read(shown):
    """A figure is shown at three quarters of its size at least, where letters of 9 points have 9 pixels."""
    scales = shown.execute_script(
        "return [...document.images].map(i => i.getBoundingClientRect().width / Number(i.getAttribute('width')))"
    )
    assert min(scales) > 0.75
    assert max(scales) <= 1.0


def test_contents_lead_to_headings(shown):
    found = shown.execute_script(
        """
        return [...document.querySelectorAll("nav a")].map(a => {
            const place = document.querySelector(a.getAttribute("href"));
            return [a.textContent, place.querySelector("h2").textContent];
        });
        """
    )
    assert len(found) > 7
    assert all(name == heading for name, heading in found)


def test_it_prints(browser, full):
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.get(full.path.as_uri())
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    document = base64.b64decode(printed["data"])
    assert document.startswith(b"%PDF")
    assert document.count(b"/Type /Page\n") + document.count(b"/Type /Page ") > 3
    # A4 in points, as the style sheet asks.
    assert b"/MediaBox [0 0 594.95996 841.91998]" in document or b"/MediaBox [0 0 595" in document
