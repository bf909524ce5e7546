import re

from seedsieve_train.svg import BOTTOM, HEIGHT, LABEL_HEIGHT, RIGHT, TOP, WIDTH, Chart, Series


def test_names_of_dots_that_lie_together_can_be_read():
    series = [Series(f"scorer {number}", [(0.2 + number / 1_000, 0.01)], dots=True) for number in range(9)]
    series += [Series("at the end", [(1.0, 0.1)], dots=True), Series("at the foot", [(0.1, 0.001)], dots=True)]
    text = Chart("title", "cost", "rate", series, x_log=True, y_log=True).svg()
    labels = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" font-size="9" fill="[^"]+">([^<]+)<', text)
    boxes = [(float(x), float(x) + 4 * len(name), float(y)) for x, y, name in labels]
    assert len(boxes) == 11 and text.count("<circle") == 11
    for number, (left, right, height) in enumerate(boxes):
        assert right < WIDTH - RIGHT + 1 and TOP < height < HEIGHT - BOTTOM
        for other_left, other_right, other in boxes[:number]:
            assert right < other_left or left > other_right or abs(height - other) >= LABEL_HEIGHT
