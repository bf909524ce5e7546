"""The student: a network of some thousand multiply-adds on a seed's match masks and facts, for the native kernel."""
