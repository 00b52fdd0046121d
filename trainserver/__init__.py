"""trainserver"""
