import xml.sax
import xml.sax.handler

from lxml import etree


def read(data):
    # ruleid: python-xxe
    parser = etree.XMLParser(resolve_entities=True)
    return etree.fromstring(data, parser)


def stream(handler):
    parser = xml.sax.make_parser()
    # ruleid: python-xxe
    parser.setFeature(xml.sax.handler.feature_external_ges, True)
    parser.setContentHandler(handler)
    return parser


def read_safely(data):
    # ok: python-xxe
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return etree.fromstring(data, parser)


def stream_safely(handler):
    parser = xml.sax.make_parser()
    # ok: python-xxe
    parser.setFeature(xml.sax.handler.feature_external_ges, False)
    parser.setContentHandler(handler)
    return parser
