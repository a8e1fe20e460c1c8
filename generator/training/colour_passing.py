"""Initialises an autoencoder so that colours pass through it from the first step on.

Its first three latent channels then are a thumbnail of 16×16, and the rest is learnt around it.
The colours travel in the first channels of each block, which its convolutions leave alone at first;
where the widths end, in channels of both signs (3-5 the negatives), so that the activation loses
nothing. The group norm over all channels is undone by two anchors, constants in channels 6 and 7,
and by a last factor that is measured.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

ANCHOR = 4.0
BOX = torch.tensor([[0.25, 0.25, 0.0], [0.25, 0.25, 0.0], [0.0, 0.0, 0.0]])  # halves the side
BLUR = torch.tensor([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]) / 16  # after doubling it


@torch.no_grad()
def pass_colours(model: Any, pictures: Tensor) -> None:
    """`pictures`, (n, 3, 128, 128), measure the factors of the two ends."""
    latent_channels = model.config.latent_channels
    _prepare_encoder(model.encoder, latent_channels)
    for convolution in (model.quant_conv, model.post_quant_conv):
        nn.init.dirac_(convolution.weight)
        convolution.bias.zero_()
    _prepare_decoder(model.decoder)
    _measure(model, pictures, latent_channels)


def _prepare_encoder(encoder: Any, latent_channels: int) -> None:
    _pass(encoder.conv_in)
    for block in encoder.down_blocks:
        last = block is encoder.down_blocks[-1]
        for resnet in block.resnets:
            _open(resnet, both_signs=last)
        if block.downsamplers:
            _pass(block.downsamplers[0].conv, BOX)
    for resnet in encoder.mid_block.resnets:
        _keep(resnet, 8)
    out = encoder.conv_out
    out.weight.mul_(0.5)
    out.weight[:3] = 0
    out.weight[latent_channels:] = 0
    out.bias.zero_()
    out.bias[latent_channels:] = -6  # log variances: hardly any noise at first
    _join_signs(out)


def _prepare_decoder(decoder: Any) -> None:
    _pass(decoder.conv_in)
    for resnet in decoder.mid_block.resnets:
        _keep(resnet, 3)
    for block in decoder.up_blocks:
        last = block is decoder.up_blocks[-1]
        for number, resnet in enumerate(block.resnets):
            if last and number > 0:
                _keep(resnet, 8)
            else:
                _open(resnet, both_signs=last)
        if block.upsamplers:
            _pass(block.upsamplers[0].conv, BLUR)
    decoder.conv_out.weight.mul_(0.2)
    decoder.conv_out.weight[:, :6] = 0
    decoder.conv_out.bias.zero_()
    _join_signs(decoder.conv_out)


def _pass(convolution: Any, kernel: Tensor | None = None, both_signs: bool = False) -> None:
    """The first three channels into the first three, and with both signs into the next three."""
    weight = convolution.weight
    centre = weight.shape[-1] // 2
    count = 6 if both_signs else 3
    weight[:count] = 0
    convolution.bias[:count] = 0
    for channel in range(3):
        if kernel is None:
            weight[channel, channel, centre, centre] = 1
        else:
            weight[channel, channel] = kernel
        if both_signs:
            weight[channel + 3, channel, centre, centre] = -1


def _keep(resnet: Any, channels: int) -> None:
    """Its branch adds nothing to the first channels, and little to the others."""
    resnet.conv2.weight.mul_(0.3)
    resnet.conv2.bias.zero_()
    resnet.conv2.weight[:channels] = 0


def _open(resnet: Any, both_signs: bool) -> None:
    _keep(resnet, 8 if both_signs else 3)
    shortcut = resnet.conv_shortcut
    if shortcut is not None:
        _pass(shortcut, both_signs=both_signs)
        if both_signs:
            shortcut.weight[6:8] = 0
            shortcut.bias[6], shortcut.bias[7] = ANCHOR, -ANCHOR


def _join_signs(convolution: Any) -> None:
    for channel in range(3):
        convolution.weight[channel, channel, 1, 1] = 1
        convolution.weight[channel, channel + 3, 1, 1] = -1


def _measure(model: Any, pictures: Tensor, latent_channels: int) -> None:
    """The least squares factors between what comes out and what should."""
    small = nn.functional.avg_pool2d(pictures, 8)
    latents = model.quant_conv(model.encoder(pictures))[:, :3]
    model.encoder.conv_out.weight[:3] *= (latents * small).sum() / latents.square().sum()
    latents = model.quant_conv(model.encoder(pictures))[:, :latent_channels]
    decoded = model.decoder(model.post_quant_conv(latents))
    model.decoder.conv_out.weight[:3, :6] *= (decoded * pictures).sum() / decoded.square().sum()
