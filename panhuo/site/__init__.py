"""The web application: a land ledger on a map that many offices share. Rooms: accounts, ledger, parcel, maps, jobs, …"""
