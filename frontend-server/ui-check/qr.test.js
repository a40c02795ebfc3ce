// A link as a QR code: read back by a decoder of others, and compared with a code
// that another encoder has drawn.

import assert from "node:assert/strict";
import { test } from "node:test";
import jsQR from "jsqr";
import { qr } from "../ui/qr.js";

/** Pixels per square, and light squares around the code. */
const SCALE = 3;
const QUIET = 4;

/** What a camera would read. */
function read(code) {
  const size = (code.length + 2 * QUIET) * SCALE;
  const pixels = new Uint8ClampedArray(size * size * 4).fill(255);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      const dark = code[Math.floor(y / SCALE) - QUIET]?.[Math.floor(x / SCALE) - QUIET];
      if (dark) pixels.fill(0, (y * size + x) * 4, (y * size + x) * 4 + 3);
    }
  }
  return jsQR(pixels, size, size)?.data;
}

/** Drawn by the npm package "qrcode" 1.5.4, level M, its own choice of mask. */
const HANGRAFT = `
#######    ## #######
#     #  #    #     #
# ### # # ##  # ### #
# ### # ##  # # ### #
# ### # ## ## # ### #
#     # ##  # #     #
####### # # # #######
        #  ##
# #####   # # #####
  #  # # #  ##  # # #
# ##  #   ##     ###
 #  #          ####
### ### #  #        #
        ##########
#######  #  # #    #
#     # ## ####  ##
# ### # # # #  #    #
# ### # #   #  ####
# ### # ## # #   #
#     #        ####
####### ## # # # # #
`;

test("every link there may be can be read, in every version of the code", () => {
  const sizes = new Set();
  for (const length of [1, 14, 15, 26, 27, 42, 43, 62, 63, 84, 85, 106, 107, 122, 123, 152, 153, 180, 181, 213]) {
    const link = `http://192.168.1.20:8080/#/room/k7qmw2vxp4t9hj3d?${"é~".repeat(60)}`;
    let text = "";
    for (const one of link) if (Buffer.byteLength(text + one) <= length) text += one;
    text = text.padEnd(text.length + length - Buffer.byteLength(text), "x");
    const code = qr(text);
    sizes.add(code.length);
    assert.equal(read(code), text, `${length} bytes`);
  }
  assert.deepEqual([...sizes].sort((a, b) => a - b), [21, 25, 29, 33, 37, 41, 45, 49, 53, 57]);
});

test("a code is, square by square, what another encoder draws", () => {
  const drawn = qr("Hangraft").map((row) => row.map((dark) => (dark ? "#" : " ")).join("").trimEnd());
  assert.deepEqual(drawn, HANGRAFT.split("\n").slice(1, -1));
});

test("a text that does not fit has no code", () => {
  assert.equal(qr("x".repeat(213)).length, 57);
  assert.equal(qr("x".repeat(214)), null);
});
